#include "plan/lifecycle/node_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "api/names.h"

namespace joiner::plan {

void PrintTo(NodeStep::Kind kind, std::ostream* out) {
    *out << "step " << static_cast<int>(kind);
}

namespace {

using Kind = NodeStep::Kind;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr WallTime kNow{seconds{1'800'000'000}};

// A node on its way out, tainted long ago, with the pods a test gives it.
struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    api::Node node;
    model::ClaimState claim;
    bool has_claim = true;
    bool instance_is_gone = false;
    bool was_asked = false;
    std::optional<WallTime> tainted_at = kNow - minutes{1};

    World() {
        node.meta.name = "n";
        node.meta.deleted = kNow - minutes{1};
        node.meta.labels[std::string(api::kExcludeBalancersLabel)] = "karpenter";
        node.conditions = {{"Ready", "True", "", "", kNoTime, 0}};
        node.taints = {{std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}}};
        claim.claim.meta.deleted = kNow - minutes{1};
    }
    World& pod(const std::string& name, std::function<void(api::Pod&)> edit = {}) {
        api::Pod pod;
        pod.meta.name = name;
        pod.meta.ns = "ns";
        pod.meta.uid = name;
        pod.spec.node_name = "n";
        pod.status.phase = "Running";
        pod.status.started = kNow - minutes{5};
        if (edit) edit(pod);
        cluster.upsert(pod);
        return *this;
    }
    World& deadline_in(Duration span) {
        claim.claim.meta.annotations[std::string(api::kTerminationTimestampAnnotation)] =
            format_rfc3339(kNow + span);
        return *this;
    }
    NodeStep step() {
        cluster.upsert(node);
        return next_node_step({cluster, *cluster.find_node("n"), has_claim ? &claim : nullptr,
                               instance_is_gone, was_asked, tainted_at},
                              kNow);
    }
    World& attach(const std::string& name, const std::string& volume, const std::string& to = "n") {
        api::VolumeAttachment attachment;
        attachment.meta.name = name;
        attachment.node_name = to;
        attachment.volume_name = volume;
        cluster.upsert(attachment);
        return *this;
    }
    // A pod that uses the volume through a claim.
    World& pod_with_volume(const std::string& name, const std::string& volume,
                           std::function<void(api::Pod&)> edit) {
        api::PersistentVolumeClaim its;
        its.meta.name = name;
        its.meta.ns = "ns";
        its.volume_name = volume;
        cluster.upsert(its);
        return pod(name, [&](api::Pod& p) {
            p.spec.volumes.resize(1);
            p.spec.volumes[0].claim_name = name;
            edit(p);
        });
    }
    std::string condition(std::string_view type) {
        for (const ConditionNote& note : step().conditions) {
            if (note.type == type) return std::string(note.status) + " " + note.reason;
        }
        return {};
    }
    std::vector<std::string> remarks() {
        std::vector<std::string> out;
        for (const Remark& remark : step().remarks)
            out.push_back(remark.pod + "|" + remark.reason + "|" + remark.message);
        return out;
    }
};

using Edit = std::function<void(api::Pod&)>;
Edit owned_by(std::string kind) {
    return [kind](api::Pod& p) { p.meta.owners = {{"v1", kind, "o", "u", true, false}}; };
}
Edit critical(Edit also = {}) {
    return [also](api::Pod& p) {
        p.spec.priority_class = "system-cluster-critical";
        if (also) also(p);
    };
}
Edit annotated(std::string value) {
    return [value](api::Pod& p) { p.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = value; };
}
Edit grace(std::int64_t s) {
    return [s](api::Pod& p) { p.spec.termination_grace_seconds = s; };
}
Edit deleted(Duration after_now) {
    return [after_now](api::Pod& p) { p.meta.deleted = kNow + after_now; };
}

TEST(NextNodeStep, s4_3_taints_drains_and_then_removes) {
    const struct {
        const char* name;
        Kind kind;
        std::function<void(World&)> edit;
    } cases[] = {
        {"deleted by hand: its claim goes too", Kind::kDeleteClaim,
         [](World& w) { w.claim.claim.meta.deleted.reset(); }},
        {"the claim is told even when the machine is gone", Kind::kDeleteClaim,
         [](World& w) {
             w.claim.claim.meta.deleted.reset();
             w.instance_is_gone = true;
         }},
        {"nothing more to save", Kind::kRemoveFinalizer,
         [](World& w) { w.pod("a").instance_is_gone = true; }},
        {"a node that is not Ready may have no machine", Kind::kAskInstance,
         [](World& w) { w.pod("a").node.conditions[0].status = "Unknown"; }},
        {"where it has one, it is drained as others are", Kind::kDrain,
         [](World& w) {
             w.pod("a").node.conditions[0].status = "Unknown";
             w.was_asked = true;
         }},
        {"load balancers leave it with the taint", Kind::kTaint,
         [](World& w) { w.pod("a").node.meta.labels.clear(); }},
        {"the taint first", Kind::kTaint, [](World& w) { w.pod("a").node.taints.clear(); }},
        {"the taint with another effect is another taint", Kind::kTaint,
         [](World& w) { w.node.taints[0].effect = std::string(api::kNoExecute); }},
        {"drain", Kind::kDrain, [](World& w) { w.pod("a"); }},
        {"without a claim all the same", Kind::kDrain, [](World& w) { w.pod("a").has_claim = false; }},
        {"empty", Kind::kRemoveInstance, [](World&) {}},
        {"empty without a claim", Kind::kRemoveInstance, [](World& w) { w.has_claim = false; }},
        {"a pod bound in the last moment has time to show", Kind::kNothing,
         [](World& w) { w.tainted_at = kNow - std::chrono::milliseconds{999}; }},
        {"a second is enough", Kind::kRemoveInstance, [](World& w) { w.tainted_at = kNow - seconds{1}; }},
        {"our watch has not shown the taint", Kind::kNothing, [](World& w) { w.tainted_at.reset(); }},
        {"who has ended needs no eviction", Kind::kRemoveInstance,
         [](World& w) { w.pod("a", [](api::Pod& p) { p.status.phase = "Succeeded"; }); }},
        {"a mirror pod cannot be evicted", Kind::kRemoveInstance,
         [](World& w) { w.pod("a", owned_by("Node")); }},
        {"who tolerates the taint stays", Kind::kRemoveInstance,
         [](World& w) { w.pod("a", [](api::Pod& p) { p.spec.tolerations = {{"", "Exists", "", ""}}; }); }},
        {"who tolerates another effect only does not", Kind::kDrain,
         [](World& w) {
             w.pod("a", [](api::Pod& p) {
                 p.spec.tolerations = {{std::string(api::kDisruptedTaint), "Exists", "", "NoExecute"}};
             });
         }},
        {"a pod that is going is waited for", Kind::kDrain,
         [](World& w) { w.pod("a", deleted(seconds{-30})); }},
        {"but not for ever", Kind::kRemoveInstance, [](World& w) { w.pod("a", deleted(minutes{-2})); }},
        {"a budget is the API server's to keep", Kind::kDrain, [](World& w) { w.pod("a"); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(w.step().kind, c.kind) << c.name;
    }
}

TEST(NextNodeStep, s4_3_drains_one_tier_after_the_other) {
    World w;
    w.pod("a-plain")
        .pod("b-daemon", owned_by("DaemonSet"))
        .pod("c-critical", critical())
        .pod("d-critical-daemon", critical(owned_by("DaemonSet")));
    w.pod("e-plain");
    EXPECT_THAT(w.step().evict, ElementsAre("ns/a-plain", "ns/e-plain"));
    w.cluster.remove(model::Kind::kPod, "ns", "a-plain");
    EXPECT_THAT(w.step().evict, ElementsAre("ns/e-plain")) << "the next tier waits for the last of this one";
    w.pod("e-plain", deleted(seconds{10}));
    EXPECT_THAT(w.step().evict, IsEmpty()) << "even while it is only going";
    EXPECT_EQ(w.step().kind, Kind::kDrain);
    w.cluster.remove(model::Kind::kPod, "ns", "e-plain");
    EXPECT_THAT(w.step().evict, ElementsAre("ns/b-daemon"));
    w.cluster.remove(model::Kind::kPod, "ns", "b-daemon");
    EXPECT_THAT(w.step().evict, ElementsAre("ns/c-critical"));
    w.cluster.remove(model::Kind::kPod, "ns", "c-critical");
    EXPECT_THAT(w.step().evict, ElementsAre("ns/d-critical-daemon"));
    EXPECT_THAT(w.step().force, IsEmpty());
}

TEST(NextNodeStep, s4_3_a_pod_that_must_not_be_disrupted_holds_its_tier) {
    World w;
    w.pod("a", annotated("true")).pod("b").pod("c", owned_by("DaemonSet"));
    EXPECT_THAT(w.step().evict, ElementsAre("ns/b"));
    w.cluster.remove(model::Kind::kPod, "ns", "b");
    EXPECT_THAT(w.step().evict, IsEmpty());
    EXPECT_EQ(w.step().kind, Kind::kDrain);
}

TEST(NextNodeStep, s4_3_the_deadline_forces_whoever_needs_the_time_left) {
    const struct {
        const char* name;
        bool forced;
        Duration deadline;
        Edit edit;
    } cases[] = {
        {"enough time for its grace", false, seconds{31}, grace(30)},
        {"exactly enough", false, seconds{30}, grace(30)},
        {"not enough", true, seconds{29}, grace(30)},
        {"past the deadline", true, seconds{-100}, grace(0)},
        {"do-not-disrupt holds no longer", true, seconds{29}, annotated("true")},
        {"do-not-disrupt holds until then", false, seconds{60}, annotated("true")},
        {"a higher tier does not wait", true, seconds{29}, critical()},
        {"going, and done before the deadline", false, seconds{29}, deleted(seconds{20})},
        {"going, and longer than the deadline", true, seconds{29}, deleted(seconds{40})},
    };
    for (const auto& c : cases) {
        World w;
        w.deadline_in(c.deadline).pod("other", grace(0)).pod("p", c.edit);
        const NodeStep step = w.step();
        const auto forced = std::find_if(step.force.begin(), step.force.end(),
                                         [](const auto& each) { return each.pod == "ns/p"; });
        EXPECT_EQ(forced != step.force.end(), c.forced) << c.name;
        const int left = static_cast<int>(std::chrono::duration_cast<seconds>(c.deadline).count());
        if (forced != step.force.end()) {
            EXPECT_EQ(forced->grace_seconds, std::max(left, 1)) << c.name;
        }
        for (const auto& each : step.force)
            EXPECT_EQ(std::count(step.evict.begin(), step.evict.end(), each.pod), 0) << c.name;
    }
    World broken;
    broken.claim.claim.meta.annotations[std::string(api::kTerminationTimestampAnnotation)] = "soon";
    broken.pod("p");
    EXPECT_THAT(broken.step().force, IsEmpty()) << "what cannot be read sets no deadline";
}

TEST(NextNodeStep, s4_3_waits_for_volumes_that_are_still_attached) {
    const Edit tolerates_all = [](api::Pod& p) { p.spec.tolerations = {{"", "Exists", "", ""}}; };
    const struct {
        const char* name;
        Kind kind;
        std::string volumes_detached;
        std::function<void(World&)> edit;
    } cases[] = {
        {"none", Kind::kRemoveInstance, "True VolumesDetached", [](World&) {}},
        {"one of this node", Kind::kNothing, "Unknown AwaitingVolumeDetachment",
         [](World& w) { w.attach("a", "pv"); }},
        {"one of another node", Kind::kRemoveInstance, "True VolumesDetached",
         [](World& w) { w.attach("a", "pv", "other"); }},
        {"one without a volume's name", Kind::kRemoveInstance, "True VolumesDetached",
         [](World& w) { w.attach("a", ""); }},
        {"one of a pod that stays", Kind::kRemoveInstance, "True VolumesDetached",
         [&](World& w) { w.attach("a", "pv").pod_with_volume("p", "pv", tolerates_all); }},
        {"another beside it", Kind::kNothing, "Unknown AwaitingVolumeDetachment",
         [&](World& w) { w.attach("a", "pv").attach("b", "pv2").pod_with_volume("p", "pv", tolerates_all); }},
        {"of a pod that never goes", Kind::kRemoveInstance, "True VolumesDetached",
         [](World& w) { w.attach("a", "pv").pod_with_volume("p", "pv", deleted(minutes{-2})); }},
        {"before the deadline", Kind::kNothing, "Unknown AwaitingVolumeDetachment",
         [](World& w) { w.attach("a", "pv").deadline_in(seconds{1}); }},
        {"past the deadline", Kind::kRemoveInstance, "False TerminationGracePeriodElapsed",
         [](World& w) { w.attach("a", "pv").deadline_in(seconds{-1}); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(w.step().kind, c.kind) << c.name;
        EXPECT_EQ(w.condition("VolumesDetached"), c.volumes_detached) << c.name;
        EXPECT_EQ(w.condition("Drained"), "True Drained") << c.name;
        EXPECT_EQ(w.condition("InstanceTerminating"),
                  c.kind == Kind::kRemoveInstance ? "True InstanceTerminating" : "")
            << c.name;
    }
}

TEST(NextNodeStep, s4_3_says_what_holds_it_up) {
    World w;
    EXPECT_THAT(w.remarks(), IsEmpty());
    w.attach("a", "pv");
    EXPECT_THAT(w.remarks(), ElementsAre("|AwaitingVolumeDetachment|volumes are still attached: a (pv)"));
    w.pod("held", annotated("true")).pod("wrong", annotated("yes")).pod("stuck", deleted(minutes{-2}));
    EXPECT_THAT(w.remarks(),
                ElementsAre(testing::StartsWith("|FailedDraining|pod ns/stuck should have been gone by"),
                            testing::StartsWith("ns/wrong|InvalidDoNotDisruptAnnotation|"),
                            "|FailedDraining|pod ns/held is annotated karpenter.sh/do-not-disrupt=true"));
    EXPECT_THAT(w.step().evict, ElementsAre("ns/wrong"));
    EXPECT_EQ(w.condition("Drained"), "Unknown Draining");
}

TEST(BudgetsOf, s4_3_are_those_of_its_namespace_that_select_it) {
    World w;
    w.pod("p", [](api::Pod& p) { p.meta.labels["app"] = "web"; });
    const auto budget = [&](const std::string& name, const std::string& ns, const std::string& app) {
        api::PodDisruptionBudget out;
        out.meta.name = name;
        out.meta.ns = ns;
        out.selector = api::LabelSelector{{{"app", app}}, {}};
        w.cluster.upsert(out);
    };
    budget("b", "ns", "web");
    budget("nobody", "ns", "other");
    budget("elsewhere", "other", "web");
    const auto names = [&] { return budgets_of(w.cluster, *w.cluster.find_pod("ns/p")); };
    EXPECT_THAT(names(), ElementsAre("b"));
    budget("a", "ns", "web");
    EXPECT_THAT(names(), ElementsAre("a", "b"));
}

TEST(DoNotDisrupt, s4_3_is_true_or_a_time_from_the_start) {
    const struct {
        const char* value;
        bool has_started;
        bool active;
    } cases[] = {
        {"true", true, true},  {"", true, false},    {"false", true, false}, {"10m", true, true},
        {"5m", true, false},   {"1m", true, false},  {"1m", false, true},    {"0s", true, false},
        {"-5m", true, false},  {"0s", false, false}, {"-5m", false, false},  {"soon", true, false},
        {"True", true, false}, {"5m1s", true, true},
    };
    for (const auto& c : cases) {
        model::PodState pod({"ns", "p", "u"});
        pod.do_not_disrupt = c.value;
        if (c.has_started) pod.started = kNow - minutes{5};
        EXPECT_EQ(do_not_disrupt_is_active(pod, kNow), c.active) << '"' << c.value << '"';
    }
}

}  // namespace
}  // namespace joiner::plan
