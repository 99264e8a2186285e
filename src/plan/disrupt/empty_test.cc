#include "plan/disrupt/empty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// A Wednesday.
const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Nodes of the pool "default" that have been up and empty for an hour.
struct World : samples::DisruptionWorld {
    std::vector<DisruptionGate::Refusal> refusals;  // Of the last plan.

    explicit World(const std::string& budget = "100%") { pool.budgets[0].nodes = budget; }
    World& node(const std::string& name, std::function<void(api::NodeClaim&, api::Node&)> edit = {}) {
        auto [claim, node] = samples::up_node(name, name, kNow - hours{1});
        claim.conditions.push_back({"Consolidatable", "True", "", "", kNow - hours{1}, 0});
        if (edit) edit(claim, node);
        put({claim, node});
        return *this;
    }
    World& nodes(int count) {
        for (int i = 0; i < count; ++i) node("n" + std::to_string(100 + i));
        return *this;
    }
    World& pod(const std::string& node_name, std::function<void(api::Pod&)> edit = {}) {
        api::Pod pod = samples::pod_on(node_name, "p" + std::to_string(cluster.pods().size()));
        pod.status.started = kNow - minutes{30};
        if (edit) edit(pod);
        cluster.upsert(pod);
        return *this;
    }
    EmptyPlan plan(WallTime now = kNow) {
        put_pool();
        leaving = in_commands;
        DisruptionGate its_gate = gate(now);
        const EmptyPlan out = plan_empty(facts(), its_gate, now);
        refusals = its_gate.refusals();
        return out;
    }
};

using PodEdit = std::function<void(api::Pod&)>;
PodEdit owned_by(std::string kind, PodEdit also = {}) {
    return [kind, also](api::Pod& p) {
        p.meta.owners = {{"apps/v1", kind, "o", "u", true, false}};
        if (also) also(p);
    };
}
PodEdit annotated(std::string value) {
    return [value](api::Pod& p) { p.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = value; };
}
void going(api::Pod& pod) {
    pod.meta.deleted = kNow;
}
void ended(api::Pod& pod) {
    pod.status.phase = "Succeeded";
}

TEST(Empty, s5_5_tells_what_a_node_is_kept_for) {
    const struct {
        const char* name;
        bool goes;
        PodEdit pod;
    } cases[] = {
        {"a pod", false, [](api::Pod&) {}},
        {"a pod of a ReplicaSet", false, owned_by("ReplicaSet")},
        {"a daemon", true, owned_by("DaemonSet")},
        {"a mirror pod", true, owned_by("Node")},
        {"a pod that has ended", true, ended},
        {"a pod on its way out", true, going},
        {"a stateful pod on its way out comes again under its name", false, owned_by("StatefulSet", going)},
        {"a daemon that must not be disrupted", false, owned_by("DaemonSet", annotated("true"))},
        {"a daemon that once must not have been", true, owned_by("DaemonSet", annotated("10m"))},
        {"a daemon that must not for a while yet", false, owned_by("DaemonSet", annotated("31m"))},
        {"do-not-disrupt on a pod that has ended", true, [](api::Pod& p) { annotated("true")(p), ended(p); }},
        {"do-not-disrupt on a pod that is going", true, [](api::Pod& p) { annotated("true")(p), going(p); }},
    };
    for (const auto& c : cases) {
        World w;
        w.node("n").pod("n", c.pod);
        EXPECT_THAT(w.plan().claims, SizeIs(c.goes ? 1 : 0)) << c.name;
    }
}

TEST(Empty, s5_5_is_at_hand_from_shortly_before_a_node_is_due_until_it_goes) {
    const auto unsaid = [](api::NodeClaim& c, api::Node&) { c.conditions.pop_back(); };
    const auto said_just_now = [](api::NodeClaim& c, api::Node&) {
        c.conditions.back().last_transition = kNow - seconds{1};
    };
    EXPECT_TRUE(World().node("n").plan().is_any_at_hand);
    EXPECT_TRUE(World().node("n", unsaid).plan().is_any_at_hand);
    EXPECT_TRUE(World().node("n", said_just_now).plan().is_any_at_hand);
    EXPECT_FALSE(World("0").node("n").plan().is_any_at_hand) << "not while the budget keeps it";
    EXPECT_FALSE(World().node("n").pod("n").plan().is_any_at_hand);
    World later;
    later.pool.consolidate_after.value = hours{1} + seconds{11};
    EXPECT_FALSE(later.node("n").plan().is_any_at_hand);
    EXPECT_TRUE(later.plan(kNow + seconds{1}).is_any_at_hand);
}

TEST(Empty, s5_5_tells_which_nodes_are_candidates) {
    const struct {
        const char* name;
        bool goes;
        std::function<void(World&)> edit;
    } cases[] = {
        {"an empty one", true, [](World& w) { w.node("n"); }},
        {"under any policy", true, [](World& w) { w.node("n").pool.consolidation_policy = "WhenEmpty"; }},
        {"one that pods are planned for", false, [](World& w) { w.node("n").planned["uid"] = "n"; }},
        {"one that a command removes or brings", false,
         [](World& w) { w.node("n").in_commands.insert("n"); }},
        {"one that a buffer keeps room on", false, [](World& w) { w.node("n").headroom.insert("n"); }},
        {"while pods are planned for another", true, [](World& w) { w.node("n").planned["uid"] = "m"; }},
        {"a claim that is going", false,
         [](World& w) { w.node("n", [](auto& c, auto&) { c.meta.deleted = kNow; }); }},
        {"a node that is going", false,
         [](World& w) { w.node("n", [](auto&, auto& n) { n.meta.deleted = kNow; }); }},
        {"not initialised", false,
         [](World& w) { w.node("n", [](auto& c, auto&) { c.conditions[0].status = "Unknown"; }); }},
        {"no node", false, [](World& w) { w.node("n", [](auto&, auto& n) { n.provider_id = "other"; }); }},
        {"node annotated", false,
         [](World& w) {
             w.node("n", [](auto&, auto& n) {
                 n.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             });
         }},
        {"of a pool that is no more", false,
         [](World& w) {
             w.node("n", [](auto& c, auto&) { c.meta.labels[std::string(api::kNodePoolLabel)] = "other"; });
         }},
        {"of a static pool", false, [](World& w) { w.node("n").pool.replicas = 1; }},
        {"consolidateAfter Never", false,
         [](World& w) { w.node("n").pool.consolidate_after = {std::nullopt, "Never"}; }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_THAT(w.plan().claims, SizeIs(c.goes ? 1 : 0)) << c.name;
    }
}

TEST(Empty, s5_5_waits_for_consolidate_after_since_the_last_pod) {
    World w;
    w.pool.consolidate_after = {minutes{10}, "10m"};
    w.node("n", [](auto& c, auto&) { c.last_pod_event = kNow - minutes{9}; });
    EmptyPlan plan = w.plan();
    EXPECT_THAT(plan.claims, IsEmpty());
    EXPECT_EQ(plan.look_again_at, kNow + minutes{1});
    EXPECT_THAT(w.plan(kNow + minutes{1}).claims, ElementsAre("n")) << "to the second";
    w.events["n"] = kNow - minutes{2};
    EXPECT_EQ(w.plan().look_again_at, kNow + minutes{8}) << "what we saw ourselves is newer than the status";
    w.events["n"] = kNow - minutes{30};
    EXPECT_EQ(w.plan().look_again_at, kNow + minutes{1}) << "or older";
    w.node("m", [](auto& c, auto&) { c.conditions[0].last_transition = kNow - minutes{6}; });
    EXPECT_EQ(w.plan().look_again_at, kNow + minutes{1}) << "the earliest of all";
    EXPECT_THAT(w.plan(kNow + minutes{5}).claims, ElementsAre("m", "n"))
        << "without any pod ever: since it was initialised";
}

TEST(Empty, goes_once_its_claim_has_said_for_a_moment_that_it_is_idle) {
    const auto said = [](std::string status, WallTime since) {
        return [=](auto& c, auto&) {
            c.conditions[1].status = status;
            c.conditions[1].last_transition = since;
        };
    };
    World unsaid;
    unsaid.node("m", said("False", kNow - hours{1})).node("n", [](auto& c, auto&) {
        c.conditions.pop_back();
    });
    EmptyPlan plan = unsaid.plan();
    EXPECT_THAT(plan.claims, IsEmpty());
    EXPECT_THAT(plan.unsaid, ElementsAre("m", "n"));
    EXPECT_EQ(plan.look_again_at, kNow + seconds{1});

    World just;
    just.node("n", said("True", kNow));
    plan = just.plan();
    EXPECT_THAT(plan.claims, IsEmpty());
    EXPECT_THAT(plan.unsaid, IsEmpty());
    EXPECT_EQ(plan.look_again_at, kNow + seconds{3});
    EXPECT_THAT(just.plan(kNow + seconds{3}).claims, ElementsAre("n"));
}

// One of two on demand may go beside eight cores of spot with a percentage of 20, the last one may not; all
// go where the spot goes too, whose name comes later.
TEST(Empty, an_empty_node_stays_that_the_ratio_of_its_pool_needs) {
    const auto of = [](std::string_view capacity_type, const char* cores) {
        return [=](api::NodeClaim& claim, api::Node& node) {
            claim.capacity["cpu"] = *Quantity::parse(cores);
            node.meta.labels[std::string(api::kCapacityTypeLabel)] = capacity_type;
        };
    };
    const auto fill = [&](World& w) {
        w.pool.meta.annotations[std::string(api::kOnDemandPercentAnnotation)] = "20";
        w.node("a", of(api::kOnDemand, "2"))
            .node("b", of(api::kOnDemand, "2"))
            .node("s", of(api::kSpot, "8"));
    };
    World used;
    fill(used);
    used.pod("s");
    const EmptyPlan plan = used.plan();
    EXPECT_THAT(plan.claims, ElementsAre("a"));
    ASSERT_THAT(plan.kept, SizeIs(1));
    EXPECT_EQ(plan.kept[0].claim, "b");
    EXPECT_EQ(plan.kept[0].reasons.front().rule, Rule::kRatio);
    World unused;
    fill(unused);
    EXPECT_THAT(unused.plan().claims, ElementsAre("s", "a", "b"));
    // What is kept for good is not at hand, or consolidation would wait for it for ever.
    World last;
    last.pool.meta.annotations[std::string(api::kOnDemandPercentAnnotation)] = "20";
    last.node("b", of(api::kOnDemand, "2")).node("s", of(api::kSpot, "8")).pod("s");
    EXPECT_FALSE(last.plan().is_any_at_hand);
}

TEST(Empty, says_what_keeps_an_empty_node) {
    const struct {
        const char* name;
        Rule rule;
        std::function<void(World&)> edit;
    } cases[] = {
        {"its time", Rule::kIdleTime, [](World& w) { w.pool.consolidate_after = {hours{2}, "2h"}; }},
        {"headroom", Rule::kHeadroom, [](World& w) { w.headroom.insert("n100"); }},
        {"an annotation", Rule::kNodeAnnotated,
         [](World& w) {
             w.node("n100", [](auto&, auto& node) {
                 node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             });
         }},
        {"consolidation that is off", Rule::kConsolidationOff,
         [](World& w) { w.pool.consolidate_after = {}; }},
        {"a budget", Rule::kBudget, [](World& w) { w.pool.budgets[0].nodes = "0"; }},
        {"a static pool", Rule::kStaticPool, [](World& w) { w.pool.replicas = 1; }},
    };
    for (const auto& c : cases) {
        World w;
        w.nodes(1);
        c.edit(w);
        const EmptyPlan plan = w.plan();
        ASSERT_THAT(plan.kept, SizeIs(1)) << c.name;
        EXPECT_EQ(plan.kept[0].reasons.front().rule, c.rule) << c.name;
        EXPECT_EQ(plan.kept[0].reasons.front().until, c.rule == Rule::kIdleTime ? kNow + hours{1} : kNoTime)
            << c.name;
    }
    World full;
    full.nodes(1).pod("n100");
    EXPECT_THAT(full.plan().kept, IsEmpty()) << "it is none of those";
    World goes;
    EXPECT_THAT(goes.nodes(1).plan().kept, IsEmpty());
}

TEST(Empty, s5_3_keeps_to_the_budgets) {
    const auto budget = [](std::string nodes) {
        api::Budget b;
        b.nodes = std::move(nodes);
        return b;
    };
    const auto for_reasons = [&](std::string nodes, std::vector<std::string> reasons) {
        api::Budget b = budget(std::move(nodes));
        b.has_reasons = true;
        b.reasons = std::move(reasons);
        return b;
    };
    const auto scheduled = [&](std::string nodes, std::string schedule, Duration duration) {
        api::Budget b = budget(std::move(nodes));
        b.schedule = std::move(schedule);
        b.duration = duration;
        return b;
    };
    const struct {
        const char* name;
        std::size_t gone;  // Of 15 empty nodes.
        std::vector<api::Budget> budgets;
    } cases[] = {
        {"none at all", 15, {}},
        {"the default, rounded up", 2, {budget("10%")}},
        {"a count", 3, {budget("3")}},
        {"more than there are", 15, {budget("100")}},
        {"all", 15, {budget("100%")}},
        {"nothing", 0, {budget("0")}},
        {"nothing, as a percentage", 0, {budget("0%")}},
        {"the smallest counts", 2, {budget("5"), budget("2"), budget("50%")}},
        {"of another reason", 15, {for_reasons("0", {"Drifted", "Underutilized"})}},
        {"of this reason among others", 1, {for_reasons("1", {"Drifted", "Empty"})}},
        {"for every reason beside one for ours", 1, {for_reasons("4", {"Empty"}), budget("1")}},
        {"inside its window", 0, {scheduled("0", "0 11 * * *", hours{2})}},
        {"as the window opens", 0, {scheduled("0", "0 12 * * *", hours{2})}},
        {"as the window closes", 15, {scheduled("0", "0 10 * * *", hours{2})}},
        {"before its window", 15, {scheduled("0", "0 13 * * *", hours{2})}},
        {"on working days", 0, {scheduled("0", "0 9 * * mon-fri", hours{8})}},
        {"at week-ends", 15, {scheduled("0", "0 9 * * sat,sun", hours{8})}},
        {"one that cannot be read allows nothing", 0, {budget("some")}},
        {"nor does one with a broken schedule", 0, {scheduled("5", "whenever", hours{1})}},
    };
    for (const auto& c : cases) {
        World w;
        w.nodes(15).pool.budgets = c.budgets;
        EXPECT_THAT(w.plan().claims, SizeIs(c.gone)) << c.name;
        EXPECT_THAT(w.refusals, SizeIs(c.gone == 0 ? 1 : 0)) << c.name;
    }
}

TEST(Empty, s5_3_what_is_going_already_counts_against_the_budget) {
    const auto deleting = [](auto& c, auto&) { c.meta.deleted = kNow; };
    const auto not_ready = [](auto&, auto& n) { n.conditions[0].status = "False"; };
    const auto not_initialized = [](auto& c, auto&) { c.conditions.clear(); };
    const auto terminating = [](auto& c, auto&) {
        c.meta.deleted = kNow;
        c.conditions.push_back({"InstanceTerminating", "True", "", "", kNow, 0});
    };
    World going("3");
    going.nodes(5).node("x", deleting);
    EXPECT_THAT(going.plan().claims, SizeIs(2));
    World unready("3");
    unready.nodes(5).node("x", not_ready).pod("x");
    EXPECT_THAT(unready.plan().claims, SizeIs(2));
    World spent("1");
    spent.nodes(5).node("x", deleting);
    EXPECT_THAT(spent.plan().claims, IsEmpty());
    EXPECT_THAT(spent.refusals, IsEmpty()) << "the budget allows some, only not now";
    World gone("1");
    gone.nodes(5).node("x", terminating);
    EXPECT_THAT(gone.plan().claims, SizeIs(1)) << "a machine that is going down counts no more";
    World young("20%");
    young.nodes(5).node("x", not_initialized);
    EXPECT_THAT(young.plan().claims, SizeIs(1)) << "20 % of five, not of six";
}

TEST(Empty, s5_3_each_pool_has_its_own_budget) {
    World w("1");
    api::NodePool other;
    other.meta.name = "other";
    other.budgets[0].nodes = "1";
    w.cluster.upsert(other);
    const auto of_other = [](auto& c, auto&) { c.meta.labels[std::string(api::kNodePoolLabel)] = "other"; };
    w.nodes(3).node("x1", of_other).node("x2", of_other);
    EXPECT_THAT(w.plan().claims, ElementsAre("n100", "x1"));
}

}  // namespace
}  // namespace joiner::plan
