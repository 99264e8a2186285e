#include "plan/disrupt/deletion_cost.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Nodes "n-0" and so on, which cost 1, 2 and so on an hour, each with one pod "p-0" of a ReplicaSet.
struct World : samples::DisruptionWorld {
    std::vector<api::NodeClaim> claims;
    std::vector<api::Node> nodes;
    std::vector<api::Pod> pods;
    std::vector<rules::InstanceType> of_nodes;  // Their types, in the order of the nodes.

    explicit World(int count) {
        pool.budgets = {{}};
        pool.budgets[0].nodes = "100%";
        pool.consolidate_after = {hours{1}, "1h"};
        for (int i = 0; i < count; ++i) {
            samples::UpNode up =
                samples::up_node(fmt::format("c-{}", i), fmt::format("n-{}", i), kNow - hours{9});
            up.node.meta.labels[std::string(api::kInstanceTypeLabel)] = fmt::format("t-{}", i);
            claims.push_back(up.claim);
            nodes.push_back(up.node);
            add_pod(fmt::format("p-{}", i), fmt::format("n-{}", i), "ReplicaSet");
            rules::InstanceType type;
            type.name = fmt::format("t-{}", i);
            rules::Offering offering;
            offering.requirements.add_labels(
                {{std::string(api::kZoneLabel), "a"},
                 {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}});
            offering.price = rules::Money::from_dollars(1 + i);
            type.offerings = {offering};
            of_nodes.push_back(type);
        }
    }
    api::Pod& add_pod(const std::string& name, const std::string& node, const std::string& owner) {
        api::Pod pod = samples::pod_on(node, name);
        if (!owner.empty()) pod.meta.owners = {{"apps/v1", owner, "o", "u", true, false}};
        pods.push_back(pod);
        return pods.back();
    }
    // "p-1=-1 p-2=off", as they are to be written.
    std::string plan() {
        put_pool();
        for (const api::NodeClaim& claim : claims) cluster.upsert(claim);
        for (const api::Node& node : nodes) cluster.upsert(node);
        for (const api::Pod& pod : pods) cluster.upsert(pod);
        types = std::make_shared<const std::vector<rules::InstanceType>>(of_nodes);
        last = plan_deletion_costs(facts(), gate(kNow), leaving, kNow);
        std::string out;
        for (const DeletionCost& one : last.writes)
            out += fmt::format("{}{}={}", out.empty() ? "" : " ", one.pod.substr(3),
                               !one.cost                  ? "off"
                               : *one.cost == kGoesAnyway ? "first"
                                                          : std::to_string(*one.cost));
        return out;
    }
    void set_cost(std::size_t pod, const std::string& cost) {
        pods[pod].meta.annotations[std::string(api::kPodDeletionCostAnnotation)] = cost;
    }
    DeletionCosts last;
};

TEST(DeletionCosts, s5_16_who_saves_most_for_what_it_costs_goes_first) {
    World w(3);
    EXPECT_EQ(w.plan(), "p-2=-3 p-1=-2 p-0=-1");
    w.add_pod("q", "n-2", "ReplicaSet");
    w.add_pod("r", "n-2", "ReplicaSet");
    EXPECT_EQ(w.plan(), "p-1=-3 p-2=-2 q=-2 r=-2 p-0=-1") << "3 for three pods is less than 2 for one";
    EXPECT_EQ(w.last.nodes, (std::map<std::string, std::int64_t, std::less<>>{{"default", 3}}));
}

TEST(DeletionCosts, s5_16_says_for_every_node_what_its_pods_should_say) {
    const struct {
        const char* name;
        std::string expected;
        std::function<void(World&)> edit;
    } cases[] = {
        {"as they are", "p-1=-2 p-0=-1", [](World&) {}},
        {"what is right already is not written", "p-0=-1", [](World& w) { w.set_cost(1, "-2"); }},
        {"what users have written is", "p-1=-2 p-0=-1", [](World& w) { w.set_cost(1, "100"); }},
        {"only ReplicaSets read it", "p-1=-2 p-0=-1",
         [](World& w) { w.add_pod("job", "n-1", "Job"), w.add_pod("daemon", "n-1", "DaemonSet"); }},
        {"a node that is going comes before all", "p-1=first p-0=-1",
         [](World& w) { w.claims[1].meta.deleted = kNow; }},
        {"one that a command removes, too", "p-1=first p-0=-1", [](World& w) { w.leaving = {"c-1"}; }},
        {"and one that is tainted as such", "p-1=first p-0=-1",
         [](World& w) { w.nodes[1].taints = {{std::string(api::kDisruptedTaint), "", "NoSchedule", {}}}; }},
        {"the drifted before the others", "p-0=-2 p-1=-1",
         [](World& w) { w.claims[0].conditions.push_back({"Drifted", "True", "", "", kNow, 0}); }},
        {"within the budgets", "p-1=-1", [](World& w) { w.pool.budgets[0].nodes = "1"; }},
        {"what is beyond them loses what it says", "p-1=-1 p-0=off",
         [](World& w) { w.pool.budgets[0].nodes = "1", w.set_cost(0, "-2"); }},
        {"a node that must not be disrupted loses it", "p-0=-1 p-1=off",
         [](World& w) {
             w.nodes[1].meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             w.set_cost(1, "-2");
         }},
        {"and one with a pod that nobody makes again", "p-0=-1 p-1=off",
         [](World& w) { w.add_pod("bare", "n-1", ""), w.set_cost(1, "7"); }},
        {"a StatefulSet's pod is bound to its place", "p-0=-1",
         [](World& w) { w.add_pod("db-0", "n-1", "StatefulSet"); }},
        {"such pods of kube-system do not count", "p-1=-2 p-0=-1",
         [](World& w) { w.add_pod("agent", "n-1", "").meta.ns = "kube-system"; }},
        {"a type that the pool has no more", "p-0=-1", [](World& w) { w.of_nodes.pop_back(); }},
        {"a pool that never consolidates", "", [](World& w) { w.pool.consolidate_after = {}; }},
        {"unless its nodes have drifted", "p-0=-1",
         [](World& w) {
             w.pool.consolidate_after = {};
             w.claims[0].conditions.push_back({"Drifted", "True", "", "", kNow, 0});
         }},
        {"pods that end already are left alone", "p-0=-1",
         [](World& w) { w.pods[1].status.phase = "Succeeded"; }},
    };
    for (const auto& c : cases) {
        World w(2);
        c.edit(w);
        EXPECT_EQ(w.plan(), c.expected) << c.name;
    }
}

TEST(DeletionCosts, s5_16_writes_for_fifty_nodes_a_pass_and_for_all_that_go_anyway) {
    World w(60);
    for (std::size_t i = 0; i < 5; ++i) w.claims[i].meta.deleted = kNow;
    (void)w.plan();
    EXPECT_THAT(w.last.writes, SizeIs(55));
    EXPECT_EQ(w.last.writes.front().cost, kGoesAnyway);
    EXPECT_EQ(w.last.writes[5].cost, -55);
}

}  // namespace
}  // namespace joiner::plan
