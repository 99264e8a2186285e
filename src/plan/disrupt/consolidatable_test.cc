#include "plan/disrupt/consolidatable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// One node "n" of claim "c", up for an hour, with a pod.
struct World : samples::DisruptionWorld {
    api::NodeClaim claim;
    api::Node node;
    api::Pod pod;

    World() {
        pool.consolidate_after = {Duration{0}, "0s"};
        rules::InstanceType type;
        type.name = "small";
        types = std::make_shared<const std::vector<rules::InstanceType>>(1, type);
        const samples::UpNode up = samples::up_node("c", "n", kNow - hours{1});
        claim = up.claim;
        node = up.node;
        pod = samples::pod_on("n", "p");
    }
    DisruptionGate gate() const { return DisruptionWorld::gate(kNow); }
    Consolidatable find() {
        put_pool();
        put({claim, node});
        cluster.upsert(pod);
        const DisruptionFacts its_facts = facts();
        DisruptionGate now = gate();
        return find_consolidatable(its_facts, now, kNow);
    }
};

TEST(Consolidatable, s5_8_nodes) {
    enum class Is { kCandidate, kBlocked, kUnconsolidatable, kNothing };
    const struct {
        std::string name;
        std::function<void(World&)> edit;
        Is is;
        std::string says = {};
    } cases[] = {
        {"a node with a pod", [](World&) {}, Is::kCandidate},
        {"balanced is a policy too", [](World& w) { w.pool.consolidation_policy = "Balanced"; },
         Is::kCandidate},
        {"when empty", [](World& w) { w.pool.consolidation_policy = "WhenEmpty"; }, Is::kUnconsolidatable,
         "empty nodes only"},
        {"never", [](World& w) { w.pool.consolidate_after = {}; }, Is::kUnconsolidatable, "turned off"},
        {"no zone", [](World& w) { w.node.meta.labels.erase(std::string(api::kZoneLabel)); },
         Is::kUnconsolidatable, "topology.kubernetes.io/zone"},
        {"no capacity type", [](World& w) { w.node.meta.labels.erase(std::string(api::kCapacityTypeLabel)); },
         Is::kUnconsolidatable, "karpenter.sh/capacity-type"},
        {"a type nobody sells",
         [](World& w) { w.node.meta.labels[std::string(api::kInstanceTypeLabel)] = "old"; },
         Is::kUnconsolidatable, "instance type old"},
        {"a static pool", [](World& w) { w.pool.replicas = 3; }, Is::kNothing},
        {"not idle for long enough", [](World& w) { w.pool.consolidate_after = {hours{2}, "2h"}; },
         Is::kNothing},
        {"of a command", [](World& w) { w.in_commands.insert("c"); }, Is::kNothing},
        {"not initialised", [](World& w) { w.claim.conditions.clear(); }, Is::kNothing},
        {"do-not-disrupt",
         [](World& w) { w.pod.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true"; },
         Is::kBlocked, "do-not-disrupt"},
        {"a grace period changes nothing, unlike for drift",
         [](World& w) {
             w.claim.termination_grace_period = hours{1};
             w.node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
         },
         Is::kBlocked, "do-not-disrupt"},
        {"a closed budget", [](World& w) { w.pool.budgets[0].nodes = "0"; }, Is::kNothing},
        {"a pause", [](World& w) { w.pool.meta.annotations[std::string(api::kPausedAnnotation)] = "true"; },
         Is::kNothing},
        {"a held pool", [](World& w) { w.held["default"] = "its launches fail"; }, Is::kNothing},
        {"empty is a candidate whatever its time",
         [](World& w) {
             w.pod.status.phase = "Succeeded";
             w.pool.consolidate_after = {hours{2}, "2h"};
         },
         Is::kCandidate},
        {"empty and never",
         [](World& w) {
             w.pod.status.phase = "Succeeded";
             w.pool.consolidate_after = {};
         },
         Is::kNothing},
    };
    for (const auto& c : cases) {
        World w;
        w.pool.consolidation_policy = "WhenEmptyOrUnderutilized";
        c.edit(w);
        const Consolidatable found = w.find();
        EXPECT_THAT(found.candidates, SizeIs(c.is == Is::kCandidate ? 1 : 0)) << c.name;
        EXPECT_THAT(found.blocked, SizeIs(c.is == Is::kBlocked ? 1 : 0)) << c.name;
        EXPECT_THAT(found.unconsolidatable, SizeIs(c.is == Is::kUnconsolidatable ? 1 : 0)) << c.name;
        for (const auto* list : {&found.blocked, &found.unconsolidatable}) {
            if (!list->empty()) {
                EXPECT_THAT(in_words(list->front().reasons), HasSubstr(c.says)) << c.name;
            }
        }
    }
}

TEST(Consolidatable, s5_4_says_when_time_brings_a_node_in) {
    World w;
    w.pool.consolidate_after = {minutes{90}, "90m"};
    EXPECT_EQ(w.find().look_again_at, kNow + minutes{30});
    w.events["c"] = kNow - minutes{10};
    EXPECT_EQ(w.find().look_again_at, kNow + minutes{80});
}

TEST(Consolidatable, s5_13_balanced_is_measured_against_all_nodes_of_the_pool) {
    World w;
    w.pool.consolidation_policy = "Balanced";
    w.node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
    const Consolidatable found = w.find();
    EXPECT_THAT(found.candidates, IsEmpty());
    ASSERT_THAT(found.balanced, SizeIs(1));
    EXPECT_EQ(found.balanced.at("default").disruption, 2) << "the node and its pod";
}

TEST(ConsolidationMark, s5_4_changes_with_what_matters_only) {
    const struct {
        std::string name;
        std::function<void(World&)> edit;
        bool matters;
    } cases[] = {
        {"a heartbeat", [](World& w) { w.node.meta.resource_version = "7"; }, false},
        {"a label", [](World& w) { w.node.meta.labels["x"] = "y"; }, false},
        {"a condition of the claim",
         [](World& w) { w.claim.conditions.push_back({"Consolidatable", "True", "", "", kNow, 0}); }, false},
        {"ready no more", [](World& w) { w.node.conditions[0].status = "False"; }, true},
        {"deleted", [](World& w) { w.claim.meta.deleted = kNow; }, true},
        {"another claim", [](World& w) { w.claim.meta.name = "d", w.claim.meta.uid = "d"; }, true},
        {"the pool's spec", [](World& w) { ++w.pool.meta.generation; }, true},
        {"a pause", [](World& w) { w.pool.meta.annotations[std::string(api::kPausedAnnotation)] = "true"; },
         true},
        {"any other annotation", [](World& w) { w.pool.meta.annotations["x"] = "y"; }, false},
    };
    for (const auto& c : cases) {
        World w;
        w.find();
        const std::uint64_t before = consolidation_mark(w.cluster, w.gate());
        c.edit(w);
        w.find();
        EXPECT_EQ(consolidation_mark(w.cluster, w.gate()) != before, c.matters) << c.name;
    }
}

}  // namespace
}  // namespace joiner::plan
