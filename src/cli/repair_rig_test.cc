// Nodes that fall ill: repair as a method of voluntary disruption, and by force as it used to be. The names
// carry the section of Karpenter's behaviour they hold. The whole controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"
#include "rules/conditions.h"

namespace joiner {
namespace {

using testing::HasSubstr;

class RepairRig : public VirtualRig {
  protected:
    static control::Options with_repair() {
        control::Options out = alone();
        out.gates.node_repair = true;
        return out;
    }
    // So many nodes of one pod each, which stay where they are.
    std::vector<std::string> fill_nodes(int count, control::Options options = with_repair()) {
        apply(kPool);
        EXPECT_TRUE(world_.patch("NodePool", "", "default",
                                 R"({"spec":{"disruption":{"consolidateAfter":"Never"}}})"));
        start(std::move(options));
        apply(deployment(
            "web", count, "1",
            {.pod = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                    "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: web}}}]}}, "
                    "tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists}]"}));
        EXPECT_TRUE(runs(static_cast<std::size_t>(count), minutes{1}));
        EXPECT_EQ(disorder_after(minutes{1}), "");
        std::vector<std::string> out;
        for (const api::Node& node : nodes()) out.push_back(node.meta.name);
        EXPECT_EQ(out.size(), static_cast<std::size_t>(count));
        return out;
    }
    static control::Options with_legacy_repair() {
        control::Options out = with_repair();
        out.legacy_node_repair = true;
        return out;
    }
    void set_budgets(const std::string& budgets) {
        ASSERT_TRUE(world_.patch("NodePool", "", "default",
                                 R"({"spec":{"disruption":{"budgets":)" + budgets + "}}}"));
    }
    std::size_t up() const {
        std::size_t out = 0;
        for (const api::NodeClaim& claim : claims())
            out += !claim.meta.deleted && rules::is_true(claim.conditions, "Initialized") ? 1 : 0;
        return out;
    }
    // "True RebootIssued"; empty: the node was never rebooted.
    std::string reboot(const std::string& node) const {
        for (const api::NodeClaim& claim : claims()) {
            const api::Condition* there = api::find_condition(claim.conditions, "Rebooting");
            if (claim.node_name == node && there != nullptr) return there->status + " " + there->reason;
        }
        return {};
    }
    bool is_there(const std::string& node) const { return world_.get("nodes", "", node).has_value(); }
};

class RepairOfSmallPools : public RepairRig, public testing::WithParamInterface<int> {};

TEST_P(RepairOfSmallPools, s4_8_the_only_sick_node_is_repaired) {
    const std::vector<std::string> names = fill_nodes(GetParam());
    world_.stop_node(names.front());
    world_.run_for(minutes{9});
    EXPECT_TRUE(is_there(names.front())) << "it is tolerated for ten minutes";
    EXPECT_TRUE(until([&] { return !is_there(names.front()); }, minutes{5}));
    EXPECT_TRUE(runs(static_cast<std::size_t>(GetParam()), minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(said("NodeRepaired"), HasSubstr("condition Ready has been Unknown"));
    EXPECT_THAT(said("NodeRepaired"), HasSubstr(fmt::format("0 of the {} other nodes", GetParam() - 1)));
    for (std::size_t i = 1; i < names.size(); ++i) EXPECT_TRUE(is_there(names[i]));
}
INSTANTIATE_TEST_SUITE_P(Nodes, RepairOfSmallPools, testing::Values(1, 2, 3, 4));

TEST_F(RepairRig, s4_8_a_pool_whose_nodes_fall_ill_together_is_left_alone) {
    const std::vector<std::string> names = fill_nodes(3);
    for (const std::string& name : names) world_.stop_node(name);
    world_.run_for(minutes{20});
    for (const std::string& name : names) EXPECT_TRUE(is_there(name));
    EXPECT_THAT(said("NodeRepairBlocked"), HasSubstr("2 of the 2 other nodes"));
    EXPECT_EQ(world_.event_reasons()["NodeRepaired"], 0u);
    for (const std::string& name : {names[1], names[2]}) world_.start_node(name);
    EXPECT_TRUE(until([&] { return !is_there(names[0]); }, minutes{3})) << "now it is the only one";
    EXPECT_TRUE(is_there(names[1]) && is_there(names[2]));
}

TEST_F(RepairRig, s4_8_repair_by_force_ignores_budgets_and_do_not_disrupt) {
    const std::vector<std::string> names = fill_nodes(2, with_legacy_repair());
    set_budgets(R"([{"nodes":"0"}])");
    apply(disruption_budget("none", "web", "maxUnavailable: 0"));
    for (const std::string& name : names) {
        ASSERT_TRUE(world_.patch("nodes", "", name,
                                 R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})"));
    }
    world_.stop_node(names.front());
    EXPECT_TRUE(until([&] { return !is_there(names.front()); }, minutes{15}));
}

TEST_F(RepairRig, s4_8_a_node_that_gets_well_in_time_stays) {
    const std::vector<std::string> names = fill_nodes(1);
    world_.stop_node(names.front());
    world_.run_for(minutes{8});
    world_.start_node(names.front());
    world_.run_for(minutes{20});
    EXPECT_TRUE(is_there(names.front()));
}

TEST_F(RepairRig, s4_8_what_replaces_a_sick_node_is_up_before_it_goes) {
    const std::string sick = fill_nodes(2).front();
    set_condition(sick, "KWOKUnhealthy");
    world_.run_for(seconds{29});
    EXPECT_EQ(claims().size(), 2u) << "it is tolerated for half a minute";
    EXPECT_TRUE(until([&] { return claims().size() == 3; }, seconds{10}));
    std::size_t least = 3;
    EXPECT_TRUE(until([&] { return least = std::min(least, up()), !is_there(sick); }, minutes{3}));
    EXPECT_GE(least, 2u);
    EXPECT_TRUE(runs(2, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(said("NodeRepaired"), HasSubstr("condition KWOKUnhealthy has been True (Test)"));
    const std::string metrics = processes_.back()->metrics.text();
    EXPECT_THAT(metrics, HasSubstr("karpenter_nodeclaims_unhealthy_disrupted_total{"));
    EXPECT_THAT(metrics, HasSubstr("termination_mode=\"eventual\""));
}

TEST_F(RepairRig, s4_8_budgets_for_unhealthy_hold_repair_up) {
    const std::string sick = fill_nodes(1).front();
    set_budgets(R"([{"nodes":"0","reasons":["Unhealthy"]},{"nodes":"100%"}])");
    set_condition(sick, "KWOKUnhealthy");
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_there(sick));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("may be disrupted as Unhealthy"));
    set_budgets(R"([{"nodes":"100%"}])");
    EXPECT_TRUE(until([&] { return !is_there(sick); }, minutes{3}));
}

TEST_F(RepairRig, s4_8_a_node_that_is_not_ready_uses_up_no_budget_for_its_own_repair) {
    const std::vector<std::string> names = fill_nodes(2);
    set_budgets(R"([{"nodes":"1"}])");
    world_.stop_node(names.front());
    EXPECT_TRUE(until([&] { return !is_there(names.front()); }, minutes{15}));
}

TEST_F(RepairRig, s4_8_pods_hold_repair_up_for_as_long_as_the_policy_lets_them) {
    const std::string sick = fill_nodes(1).front();
    apply(disruption_budget("none", "web", "maxUnavailable: 0"));
    ASSERT_TRUE(world_.patch("nodes", "", sick,
                             R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})"));
    set_condition(sick, "KWOKUnhealthy");
    ASSERT_TRUE(until([&] { return world_.event_reasons()["DisruptionTerminating"] > 0; }, minutes{2}));
    const WallTime begun = world_.loop().now();
    EXPECT_TRUE(until([&] { return !is_there(sick); }, minutes{3}));
    EXPECT_NEAR(to_seconds(world_.loop().now() - begun), 45, 35)
        << "45 s less the pod's own grace at the earliest";
}

TEST_F(RepairRig, s4_8_do_not_repair_keeps_a_node_and_is_said) {
    const std::string sick = fill_nodes(1).front();
    ASSERT_TRUE(world_.patch("nodes", "", sick,
                             R"({"metadata":{"annotations":{"karpenter.sh/do-not-repair":"true"}}})"));
    set_condition(sick, "KWOKUnhealthy");
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_there(sick));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("do-not-repair=true"));
    ASSERT_TRUE(world_.patch("nodes", "", sick,
                             R"({"metadata":{"annotations":{"karpenter.sh/do-not-repair":null}}})"));
    EXPECT_TRUE(until([&] { return !is_there(sick); }, minutes{3}));
}

TEST_F(RepairRig, s4_8_a_node_that_gets_well_while_its_replacement_comes_up_stays) {
    const std::string sick = fill_nodes(1).front();
    set_condition(sick, "KWOKUnhealthy");
    ASSERT_TRUE(until([&] { return claims().size() == 2; }, minutes{1}));
    set_condition(sick, "KWOKUnhealthy", "False");
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_there(sick));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("the node is well again"));
}

TEST_F(RepairRig, s4_8_a_node_is_rebooted_in_its_place_twice_and_then_replaced) {
    const std::string sick = fill_nodes(1).front();
    const std::string claim = claims().front().meta.name;
    set_condition(sick, "KWOKRebootRequired");
    ASSERT_TRUE(until([&] { return reboot(sick) == "True RebootRequested"; }, minutes{1}));
    ASSERT_TRUE(until([&] { return reboot(sick) == "False RebootSucceeded"; }, minutes{2}));
    const auto rebooted = [&] { return *api::decode_node_claim(*world_.get("nodeclaims", "", claim)); };
    ASSERT_TRUE(until([&] { return rules::is_true(rebooted().conditions, "Initialized"); }, minutes{1}));
    const api::Node after = *api::decode_node(*world_.get("nodes", "", sick));
    EXPECT_THAT(after.boot_id, testing::StartsWith("kwok-"));
    EXPECT_TRUE(after.taints.empty());
    world_.run_for(seconds{3});
    const api::NodeClaim its_claim = rebooted();
    EXPECT_EQ(api::find_condition(its_claim.conditions, "DisruptionReason"), nullptr);
    EXPECT_FALSE(its_claim.meta.annotations.contains(std::string(api::kRebootPreBootIdAnnotation)));
    EXPECT_THAT(said("RebootObserved"), HasSubstr("has started anew"));
    // The condition stays.
    EXPECT_TRUE(until([&] { return !is_there(sick); }, minutes{10}));
    EXPECT_TRUE(runs(1, minutes{1}));
    EXPECT_THAT(processes_.back()->metrics.text(),
                HasSubstr("karpenter_nodes_reboots_total{result=\"succeeded\"} 2"));
}

TEST_F(RepairRig, s4_8_a_pod_that_may_not_be_evicted_rides_the_reboot) {
    const std::string sick = fill_nodes(1).front();
    apply(disruption_budget("none", "web", "maxUnavailable: 0"));
    const std::string before = api::decode_pod(world_.list("pods", "default").front())->meta.uid;
    set_condition(sick, "KWOKRebootRequired");
    ASSERT_TRUE(
        until([&] { return api::decode_node(*world_.get("nodes", "", sick))->boot_id.starts_with("kwok-"); },
              minutes{3}));
    EXPECT_EQ(api::decode_pod(world_.list("pods", "default").front())->meta.uid, before);
    EXPECT_EQ(running(), 1u);
}

TEST_F(RepairRig, s4_8_a_restart_in_the_middle_goes_on_with_a_reboot) {
    const std::string sick = fill_nodes(1).front();
    set_condition(sick, "KWOKRebootRequired");
    ASSERT_TRUE(until([&] { return !reboot(sick).empty(); }, minutes{1}));
    for (int i = 0; i < 8; ++i) {
        world_.run_for(std::chrono::milliseconds{900});
        kill();
        start(with_repair());
    }
    EXPECT_TRUE(until([&] { return reboot(sick) == "False RebootSucceeded"; }, minutes{3}));
    EXPECT_TRUE(is_there(sick));
}

TEST_F(RepairRig, s4_9_a_static_pool_at_its_limit_repairs_only_where_nodes_may_go_first) {
    apply(node_class() + node_pool({.name = "fixed", .spec = "replicas: 1, limits: {nodes: 1}"}));
    control::Options options = with_repair();
    options.gates.static_capacity = true;
    start(options);
    ASSERT_TRUE(until([&] { return up() == 1; }, minutes{1}));
    const std::string sick = nodes().front().meta.name;
    set_condition(sick, "KWOKUnhealthy");
    world_.run_for(minutes{3});
    EXPECT_TRUE(is_there(sick));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("leaves no room for a replacement"));
    kill();
    options.gates.terminate_first_repair = true;
    start(options);
    EXPECT_TRUE(until([&] { return !is_there(sick) && up() == 1; }, minutes{5}));
}

TEST_F(RepairRig, s4_8_without_its_gate_nothing_is_repaired) {
    const std::string name = fill_nodes(1, alone()).front();
    world_.stop_node(name);
    world_.run_for(minutes{30});
    EXPECT_TRUE(is_there(name));
}

}  // namespace
}  // namespace joiner
