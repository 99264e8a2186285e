// Nodes that stand in for a heavier NodePool, and their way back: the whole controller over the test's rack,
// on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/rack_rig.h"

namespace joiner {
namespace {

using cloud::InstanceEvent;
using std::chrono::hours;

// The heavier pool buys on demand and is the dearer one; the lighter one buys spot.
class PoolReturnRig : public RackRig {
  protected:
    static std::string weighted_pool(std::string_view name, int weight, std::string_view capacity_type,
                                     std::string_view more = {}, std::string_view disruption = {},
                                     std::string_view annotations = {},
                                     std::string_view node_class = "default") {
        return fmt::format(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {{name: {}, annotations: {{{}}}}}
spec:
  weight: {}
  {}
  template:
    spec:
      nodeClassRef: {{group: rack.test, kind: RackNodeClass, name: {}}}
      requirements:
      - {{key: karpenter.sh/capacity-type, operator: In, values: [{}]}}
      - {{key: node.kubernetes.io/instance-type, operator: In, values: [rack-4]}}
  disruption: {{{}}}
)",
                           name, annotations, weight, more, node_class, capacity_type,
                           disruption.empty() ? R"(consolidationPolicy: WhenEmptyOrUnderutilized,
    consolidateAfter: 10s, budgets: [{nodes: "100%"}])"
                                              : disruption);
    }
    void begin(std::string_view heavier = {}, std::string_view lighter = {}) {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(heavier.empty() ? weighted_pool("heavy", 10, "on-demand") : heavier);
        apply(lighter.empty() ? weighted_pool("light", 1, "spot") : lighter);
        start();
    }
    void sell(std::string_view capacity_type, bool is_sold) {
        for (const char* zone : {"rack-a", "rack-b"}) {
            const rules::OfferingKey key{"rack-4", zone, std::string(capacity_type), ""};
            if (is_sold) {
                rack_.sold_out.erase(key);
            } else {
                rack_.sold_out.insert(key);
            }
        }
    }
    std::size_t nodes_of(std::string_view pool) const {
        std::size_t out = 0;
        for (const api::Node& node : nodes()) {
            if (api::find_or_empty(node.meta.labels, api::kNodePoolLabel) == pool && !node.meta.deleted)
                ++out;
        }
        return out;
    }
    bool all_are_of(std::string_view pool, std::size_t count, Duration limit) {
        return until([&] { return nodes().size() == count && nodes_of(pool) == count; }, limit) &&
               running() == count;
    }
    // `count` pods, each on a node of its own, that went to the lighter pool because on demand was sold out.
    void fall_back(int count) {
        sell("on-demand", false);
        apply(deployment("web", count, "3"));
        ASSERT_TRUE(runs(static_cast<std::size_t>(count), minutes{2}));
        ASSERT_EQ(nodes_of("light"), static_cast<std::size_t>(count));
    }
};

TEST_F(PoolReturnRig, once_the_heavier_pool_sells_again_its_nodes_take_the_place_of_those_that_stood_in) {
    begin();
    fall_back(3);
    for (const api::NodeClaim& claim : claims())
        EXPECT_EQ(api::find_or_empty(claim.meta.annotations, api::kPassedOverAnnotation), "heavy");
    sell("on-demand", true);
    world_.run_for(minutes{9});
    EXPECT_EQ(nodes_of("light"), 3u) << "not before it has rested";
    EXPECT_TRUE(all_are_of("heavy", 3, minutes{6}));
    EXPECT_THAT(said("ReturnsToHeavierPool"),
                testing::HasSubstr("NodePool heavy has room again for its pods, which went to NodePool light "
                                   "for want of it"));
    for (const api::NodeClaim& claim : claims())
        EXPECT_EQ(api::find_or_empty(claim.meta.annotations, api::kPassedOverAnnotation), "");
    // It costs more, and stays.
    world_.run_for(hours{2});
    EXPECT_EQ(nodes_of("heavy"), 3u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(PoolReturnRig, a_restart_forgets_none_of_them) {
    begin();
    fall_back(2);
    kill();
    sell("on-demand", true);
    world_.run_for(minutes{3});
    start();
    EXPECT_TRUE(all_are_of("heavy", 2, minutes{15}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(PoolReturnRig, limits_and_a_class_that_was_not_there_pass_a_pool_over_too) {
    begin(weighted_pool("heavy", 10, "on-demand", "limits: {cpu: \"4\"}"));
    apply(deployment("web", 3, "3"));
    ASSERT_TRUE(runs(3, minutes{2}));
    EXPECT_EQ(nodes_of("light"), 2u);
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("light"), 2u) << "there is no room in the heavier one";
    apply(weighted_pool("heavy", 10, "on-demand", "limits: {cpu: \"12\"}"));
    EXPECT_TRUE(all_are_of("heavy", 3, minutes{5}));

    apply(weighted_pool("heaviest", 20, "on-demand", {}, {}, {}, "late"));
    world_.run_for(minutes{1});
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 4));
    ASSERT_TRUE(runs(4, minutes{2}));
    EXPECT_EQ(nodes_of("light"), 1u);
    apply("{apiVersion: rack.test/v1, kind: RackNodeClass, metadata: {name: late}, spec: {image: i-1}}");
    EXPECT_TRUE(until([&] { return nodes_of("heaviest") == 1 && nodes_of("light") == 0; }, minutes{15}));
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("heavy"), 3u) << "they were bought before it was there";
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(PoolReturnRig, whoever_may_not_be_disrupted_stays) {
    const std::string budgets_0 =
        "consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 10s, budgets: [{nodes: \"0\", "
        "reasons: "
        "[Underutilized]}]";
    begin({}, weighted_pool("light", 1, "spot", {}, budgets_0));
    fall_back(2);
    sell("on-demand", true);
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("light"), 2u) << "a budget of 0";
    apply(disruption_budget("web", "web", "maxUnavailable: 0"));
    apply(weighted_pool("light", 1, "spot"));
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("light"), 2u) << "a PodDisruptionBudget";
    ASSERT_TRUE(world_.remove("poddisruptionbudgets", "default", "web"));
    apply(weighted_pool("light", 1, "spot", {}, {}, "joiner.sh/return-to-heavier-pool: \"false\""));
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("light"), 2u) << "its own pool";
    apply(weighted_pool("light", 1, "spot", {}, "consolidationPolicy: WhenEmpty, consolidateAfter: 10s"));
    world_.run_for(minutes{30});
    EXPECT_EQ(nodes_of("light"), 2u) << "a policy";
    apply(weighted_pool("light", 1, "spot", {}, {}, "joiner.sh/return-to-heavier-pool: \"true\""));
    EXPECT_TRUE(all_are_of("heavy", 2, minutes{5}));
}

TEST_F(PoolReturnRig, who_was_not_passed_over_stays) {
    begin();
    apply(R"(---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {karpenter.sh/capacity-type: spot}
      containers: [{name: c, image: x, resources: {requests: {cpu: "3"}}}]
)");
    ASSERT_TRUE(runs(2, minutes{2}));
    ASSERT_EQ(nodes_of("light"), 2u);
    const std::size_t machines = rack_.machines().size();
    world_.run_for(hours{2});
    EXPECT_EQ(nodes_of("light"), 2u);
    EXPECT_EQ(rack_.machines().size(), machines);
    for (const api::NodeClaim& claim : claims())
        EXPECT_EQ(api::find_or_empty(claim.meta.annotations, api::kPassedOverAnnotation), "");
}

// The heavier pool sells for a quarter of an hour, takes all back, and is out for seven minutes. It is the
// dearer one, so that nothing but its weight moves pods there.
TEST_F(PoolReturnRig, stock_that_comes_and_goes_moves_pods_ever_more_seldom) {
    begin();
    sell("on-demand", false);
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, minutes{2}));
    int returns = 0;
    std::set<std::string> seen;
    for (int round = 0; round < 33; ++round) {
        sell("on-demand", true);
        for (int minute = 0; minute < 15; ++minute) {
            world_.run_for(minutes{1});
            for (const RackMachine& machine : rack_.machines()) {
                if (machine.offering.capacity_type == "on-demand" && seen.insert(machine.id).second)
                    ++returns;
            }
        }
        sell("on-demand", false);
        for (const RackMachine& machine : rack_.machines()) {
            if (machine.offering.capacity_type != "on-demand") continue;
            reports_->happened({InstanceEvent::Kind::kInterruption, machine.id,
                                world_.loop().now() + minutes{2}, "Interrupted", "taken back"});
        }
        world_.run_for(minutes{7});
    }
    EXPECT_GE(returns, 2);
    EXPECT_LE(returns, 7) << "within twelve hours";
    EXPECT_EQ(running(), 1u);
}

// The cloud refuses what it seems to have: nothing moves, and it is asked ever more seldom.
TEST_F(PoolReturnRig, a_return_that_fails_moves_nothing_and_waits_longer_each_time) {
    begin();
    fall_back(2);
    const auto asked = [&] {
        int out = 0;
        for (const auto& [offering, times] : rack_.refused) out += times;
        return out;
    };
    const int before = asked();
    world_.run_for(hours{6});
    EXPECT_EQ(nodes_of("light"), 2u);
    EXPECT_GE(asked() - before, 2);
    EXPECT_LE(asked() - before, 14) << "in two zones";
    EXPECT_EQ(rack_.machines().size(), 2u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

}  // namespace
}  // namespace joiner
