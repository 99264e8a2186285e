#include "plan/disrupt/candidates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

rules::InstanceType a_type(const std::string& name, double spot, double on_demand) {
    rules::InstanceType type;
    type.name = name;
    for (const auto& [capacity_type, price] :
         {std::pair(api::kSpot, spot), std::pair(api::kOnDemand, on_demand)}) {
        rules::Offering offering;
        offering.requirements.add_labels(
            {{std::string(api::kZoneLabel), "a"},
             {std::string(api::kCapacityTypeLabel), std::string(capacity_type)}});
        offering.price = rules::Money::from_dollars(price);
        if (capacity_type == api::kSpot) offering.interruption_cost = rules::Money::from_dollars(0.07);
        type.offerings.push_back(std::move(offering));
    }
    return type;
}

// One node "n" of claim "c" that has been up for an hour, with two pods.
struct World : samples::DisruptionWorld {
    api::NodeClaim claim;
    api::Node node;
    std::vector<api::Pod> pods;
    std::vector<api::PodDisruptionBudget> budgets;
    bool types_are_known = true;

    World() {
        const samples::UpNode up = samples::up_node("c", "n", kNow - hours{1});
        claim = up.claim;
        node = up.node;
        for (const char* name : {"b", "a"}) {
            api::Pod pod = samples::pod_on("n", name);
            pod.meta.labels = {{"app", "web"}};
            pod.status.started = kNow - minutes{30};
            pods.push_back(pod);
        }
    }
    void budget(std::int64_t allowed, const std::string& app = "web", const std::string& policy = {}) {
        api::PodDisruptionBudget out;
        out.meta.name = "budget" + std::to_string(budgets.size());
        out.meta.ns = "ns";
        out.selector = api::LabelSelector{{{"app", app}}, {}};
        out.disruptions_allowed = allowed;
        out.unhealthy_eviction_policy = policy;
        budgets.push_back(out);
    }
    Candidates find(DisruptionClass disruption = DisruptionClass::kGraceful) {
        put_pool();
        put({claim, node});
        for (const api::Pod& pod : pods) cluster.upsert(pod);
        for (const api::PodDisruptionBudget& each : budgets) cluster.upsert(each);
        types = types_are_known ? std::make_shared<const std::vector<rules::InstanceType>>(
                                      std::vector<rules::InstanceType>{a_type("small", 0.1, 0.25)})
                                : nullptr;
        return find_candidates(facts(), disruption, kNow);
    }
};

std::string do_not_disrupt(api::ObjectMeta& meta, const std::string& value) {
    return meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = value;
}
void owned_by(api::Pod& pod, const std::string& kind) {
    pod.meta.owners = {{"v1", kind, "o", "u", true, false}};
}
void unready(api::Pod& pod) {
    pod.status.conditions = {{"Ready", "False", "", "", kNow, 0}};
}

TEST(Candidates, s5_2_says_what_a_node_costs) {
    World w;
    const Candidates found = w.find();
    ASSERT_THAT(found.candidates, SizeIs(1));
    const Candidate& c = found.candidates.front();
    EXPECT_EQ(c.claim, "c");
    EXPECT_EQ(c.node, "n");
    EXPECT_EQ(c.pool, "default");
    EXPECT_EQ(c.price, rules::Money::from_dollars(0.25));
    EXPECT_FALSE(c.is_spot);
    std::vector<std::string> pods;
    for (const model::PodId& pod : c.pods) pods.push_back(pod.full_name());
    EXPECT_THAT(pods, ElementsAre("ns/a", "ns/b"));
    EXPECT_DOUBLE_EQ(c.disruption_cost, 3.0);
}

TEST(Candidates, s5_2_spot_has_its_own_price_and_an_unknown_offering_none) {
    World w;
    w.node.meta.labels[std::string(api::kCapacityTypeLabel)] = std::string(api::kSpot);
    EXPECT_EQ(w.find().candidates.at(0).price, rules::Money::from_dollars(0.1));
    EXPECT_TRUE(w.find().candidates.at(0).is_spot);
    EXPECT_EQ(w.find().candidates.at(0).interruption_cost, rules::Money::from_dollars(0.07));
    w.node.meta.labels[std::string(api::kZoneLabel)] = "b";
    EXPECT_EQ(w.find().candidates.at(0).price, rules::Money{});
    EXPECT_EQ(w.find().candidates.at(0).interruption_cost, rules::Money{});
}

TEST(Candidates, s5_2_a_pod_costs_by_its_deletion_cost_and_priority) {
    const struct {
        const char* deletion_cost;
        std::int32_t priority;
        double cost;
    } cases[] = {
        {"", 0, 1},
        {"134217728", 0, 2},  // 2^27
        {"", 33554432, 2},    // 2^25
        {"-134217728", 0, 0},
        {"-2147483647", 0, -10},  // Never below.
        {"2147483647", 2000000000, 10},
        {"many", 0, 1},
        {"134217728.0", 0, 1},  // Whole numbers only.
        {"99999999999", 0, 1},
    };
    for (const auto& c : cases) {
        World w;
        w.pods.pop_back();
        w.pods[0].meta.annotations[std::string(api::kPodDeletionCostAnnotation)] = c.deletion_cost;
        w.pods[0].spec.priority = c.priority;
        const double node_cost = w.find().candidates.at(0).disruption_cost;
        EXPECT_NEAR(eviction_cost(*w.cluster.find_pod("ns/b")), c.cost, 1e-6) << c.deletion_cost;
        EXPECT_NEAR(node_cost, 1 + std::max(0.0, c.cost), 1e-6) << c.deletion_cost;
    }
}

TEST(Candidates, s5_2_a_pods_disruption_cost_comes_before_its_deletion_cost) {
    const struct {
        const char* name;
        std::optional<std::string> disruption_cost;
        std::optional<std::string> deletion_cost;
        bool are_ours;  // Deletion costs are written by ourselves.
        double cost;
    } cases[] = {
        {"by itself", "134217728", std::nullopt, false, 2},
        {"before the other", "134217728", "402653184", false, 2},
        {"an unreadable one does not fall back", "1.5", "134217728", false, 1},
        {"the deletion cost, where there is no other", std::nullopt, "134217728", false, 2},
        {"not one that is ours", std::nullopt, "134217728", true, 1},
        {"its own, still", "134217728", "402653184", true, 2},
    };
    for (const auto& c : cases) {
        World w;
        if (c.are_ours) w.cluster.pass_over_deletion_costs();
        api::StringMap& annotations = w.pods[0].meta.annotations;
        if (c.disruption_cost) annotations[std::string(api::kDisruptionCostAnnotation)] = *c.disruption_cost;
        if (c.deletion_cost) annotations[std::string(api::kPodDeletionCostAnnotation)] = *c.deletion_cost;
        (void)w.find();
        EXPECT_NEAR(eviction_cost(*w.cluster.find_pod("ns/b")), c.cost, 1e-6) << c.name;
    }
}

// Which rule speaks against the node, in either class, and once its claim has a termination grace period.
TEST(Candidates, s5_2_tells_why_a_node_may_not_be_disrupted) {
    const struct {
        const char* name;
        const char* reason;   // Empty: a candidate.
        bool binds_eventual;  // With a grace period, too.
        std::function<void(World&)> edit;
    } cases[] = {
        {"nothing", "", false, [](World&) {}},
        {"the node's annotation", "the node is annotated", true,
         [](World& w) { do_not_disrupt(w.node.meta, "true"); }},
        {"another value of it", "", false, [](World& w) { do_not_disrupt(w.node.meta, "1h"); }},
        {"pods that are planned", "pods are about to be bound", true,
         [](World& w) { w.planned["uid"] = "c"; }},
        {"no pool", "there is no NodePool", true,
         [](World& w) { w.claim.meta.labels[std::string(api::kNodePoolLabel)] = "other"; }},
        {"no catalogue", "instance types", true, [](World& w) { w.types_are_known = false; }},
        {"a pod's annotation", "pod ns/a is annotated", false,
         [](World& w) { do_not_disrupt(w.pods[1].meta, "true"); }},
        {"for a time that is over", "", false, [](World& w) { do_not_disrupt(w.pods[1].meta, "30m"); }},
        {"for a time that is not", "pod ns/a is annotated", false,
         [](World& w) { do_not_disrupt(w.pods[1].meta, "31m"); }},
        {"of a pod that has ended", "", false,
         [](World& w) { do_not_disrupt(w.pods[1].meta, "true"), w.pods[1].status.phase = "Failed"; }},
        {"a daemon's annotation", "pod ns/a is annotated", false,
         [](World& w) { do_not_disrupt(w.pods[1].meta, "true"), owned_by(w.pods[1], "DaemonSet"); }},
        {"a mirror pod's annotation", "pod ns/a is annotated", false,
         [](World& w) { do_not_disrupt(w.pods[1].meta, "true"), owned_by(w.pods[1], "Node"); }},
        {"a daemon's spent budget", "allows no eviction", false,
         [](World& w) {
             w.budget(0);
             for (api::Pod& pod : w.pods) owned_by(pod, "DaemonSet");
         }},
        {"a spent budget of mirror pods, which no drain evicts", "", false,
         [](World& w) {
             w.budget(0);
             for (api::Pod& pod : w.pods) owned_by(pod, "Node");
         }},
        {"a spent budget", "PodDisruptionBudget ns/budget0 allows no eviction", false,
         [](World& w) { w.budget(0); }},
        {"a budget that allows one", "", false, [](World& w) { w.budget(1); }},
        {"a budget of others", "", false, [](World& w) { w.budget(0, "db"); }},
        {"two budgets", "several PodDisruptionBudgets", false, [](World& w) { w.budget(1), w.budget(1); }},
        {"a spent budget that lets unready pods go", "", false,
         [](World& w) {
             w.budget(0, "web", "AlwaysAllow");
             for (api::Pod& pod : w.pods) unready(pod);
         }},
        {"a spent budget that lets unready pods go, of ready ones", "allows no eviction", false,
         [](World& w) {
             w.budget(0, "web", "AlwaysAllow");
             for (api::Pod& pod : w.pods)
                 pod.status.conditions = {{"Ready", "True", "", "", kNow - hours{1}, 0}};
         }},
        {"a spent budget that does not", "allows no eviction", false,
         [](World& w) {
             w.budget(0, "web", "IfHealthyBudget");
             for (api::Pod& pod : w.pods) unready(pod);
         }},
        {"a spent budget of pods that a drain passes over", "", false,
         [](World& w) {
             w.budget(0);
             for (api::Pod& pod : w.pods) {
                 pod.spec.tolerations = {{std::string(api::kDisruptedTaint), "Exists", "", ""}};
             }
         }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        const bool is_blocked = *c.reason != '\0';
        for (const DisruptionClass disruption : {DisruptionClass::kGraceful, DisruptionClass::kEventual}) {
            const Candidates found = w.find(disruption);
            EXPECT_THAT(found.candidates, SizeIs(is_blocked ? 0 : 1)) << c.name;
            ASSERT_THAT(found.blocked, SizeIs(is_blocked ? 1 : 0)) << c.name;
            for (const Blocked& blocked : found.blocked)
                EXPECT_THAT(in_words(blocked.reasons), HasSubstr(c.reason)) << c.name;
        }
        w.claim.termination_grace_period = minutes{5};
        EXPECT_THAT(w.find(DisruptionClass::kGraceful).blocked, SizeIs(is_blocked ? 1 : 0)) << c.name;
        EXPECT_THAT(w.find(DisruptionClass::kEventual).blocked, SizeIs(c.binds_eventual ? 1 : 0)) << c.name;
    }
}

TEST(Candidates, all_that_keeps_a_node_is_told_and_a_budget_once) {
    World w;
    do_not_disrupt(w.node.meta, "true");
    w.budget(0);
    const Candidates found = w.find(DisruptionClass::kGraceful);
    ASSERT_THAT(found.blocked, SizeIs(1));
    const Reasons& why = found.blocked[0].reasons;
    ASSERT_THAT(why, SizeIs(2)) << "both pods have the one budget";
    EXPECT_EQ(why[0].rule, Rule::kNodeAnnotated);
    EXPECT_EQ(why[1].rule, Rule::kPodDisruptionBudget);
    EXPECT_EQ(why[1].object, "PodDisruptionBudget ns/budget0");
    EXPECT_EQ(why[1].amounts, (std::vector<Amount>{{"allowed", 0}}));
}

TEST(Candidates, s5_2_a_node_that_is_out_of_play_is_neither_candidate_nor_blocked) {
    const struct {
        const char* name;
        std::function<void(World&)> edit;
    } cases[] = {
        {"going", [](World& w) { w.claim.meta.deleted = kNow; }},
        {"its node is going", [](World& w) { w.node.meta.deleted = kNow; }},
        {"not initialised", [](World& w) { w.claim.conditions[0].status = "Unknown"; }},
        {"without a node", [](World& w) { w.claim.provider_id = "p://other"; }},
        {"in a command", [](World& w) { w.in_commands.insert("c"); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_THAT(w.find().candidates, IsEmpty()) << c.name;
        EXPECT_THAT(w.find().blocked, IsEmpty()) << c.name;
    }
}

TEST(Candidates, s5_2_consolidate_after_holds_back_graceful_disruption_only) {
    World w;
    w.pool.consolidate_after = {minutes{90}, "90m"};
    EXPECT_THAT(w.find().candidates, IsEmpty());
    EXPECT_THAT(w.find().blocked, IsEmpty()) << "it is a matter of time";
    EXPECT_THAT(w.find(DisruptionClass::kEventual).candidates, SizeIs(1));
    w.pool.consolidate_after = {hours{1}, "1h"};
    EXPECT_THAT(w.find().candidates, SizeIs(1));
    w.events["c"] = kNow - minutes{1};
    EXPECT_THAT(w.find().candidates, IsEmpty());
}

TEST(Candidates, what_a_commitment_pays_for_saves_nothing) {
    const auto prices = [](std::int64_t reserved, double plan_dollars) {
        World w;
        // "n" has two pods and these have none; nothing is known of what has no claim.
        for (const char* name : {"m", "o"})
            w.put(samples::up_node(std::string("c-") + name, name, kNow - hours{1}));
        const rules::Commitments commitments = {
            {.name = "reserved", .instance_type = "small", .zone = "a", .amount = reserved * 1000},
            {.name = "plan",
             .kind = rules::CommitmentKind::kComputePlan,
             .amount = rules::Money::from_dollars(plan_dollars).nanos,
             .discount = 0.2}};
        w.find();
        DisruptionFacts facts = w.facts();
        facts.commitments = &commitments;
        std::map<std::string, double> out;
        for (const Candidate& one : find_candidates(facts, DisruptionClass::kGraceful, kNow).candidates)
            out[one.node] = one.price.dollars();
        return out;
    };
    using Prices = std::map<std::string, double>;
    EXPECT_EQ(prices(0, 0), (Prices{{"m", 0.25}, {"n", 0.25}, {"o", 0.25}}));
    EXPECT_EQ(prices(3, 0), (Prices{{"m", 0}, {"n", 0}, {"o", 0}}));
    EXPECT_EQ(prices(1, 0), (Prices{{"m", 0.25}, {"n", 0}, {"o", 0.25}})) << "the most trouble is paid for";
    EXPECT_EQ(prices(2, 0), (Prices{{"m", 0}, {"n", 0}, {"o", 0.25}}));
    EXPECT_EQ(prices(1, 0.1), (Prices{{"m", 0.125}, {"n", 0}, {"o", 0.25}})) << "half of one";
}

}  // namespace
}  // namespace joiner::plan
