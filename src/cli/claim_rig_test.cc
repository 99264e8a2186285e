// Claims that no pod asked for: standalone NodeClaims and static pools.
// The names carry the section of Karpenter's behaviour they hold. The whole controller on virtual time.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"
#include "cloud/kwok/kwok_provider.h"
#include "rules/conditions.h"
#include "sim/kubelet.h"

namespace joiner {
namespace {

using testing::HasSubstr;

constexpr std::string_view kStandalone = R"(
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: alone}
spec:
  nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
  requirements:
    - {key: node.kubernetes.io/instance-type, operator: In, values: [c-4x-amd64-linux]}
    - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
  resources: {requests: {cpu: "1"}}
)";

class ClaimRig : public VirtualRig {
  protected:
    std::size_t up() const {
        const std::vector<api::NodeClaim> all = claims();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const auto& claim) {
            return !claim.meta.deleted && rules::is_true(claim.conditions, "Initialized");
        }));
    }
    bool comes_up(std::size_t count, Duration limit = minutes{2}) {
        return until([&] { return up() == count && claims().size() == count; }, limit);
    }
};

TEST_F(ClaimRig, s1_2_a_standalone_claim_gets_its_node_and_is_never_consolidated) {
    apply(node_class());
    start();
    apply(kStandalone);
    ASSERT_TRUE(comes_up(1));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(api::find_or_empty(claims().front().meta.labels, "karpenter.kwok.sh/kwoknodeclass"), "default");
    EXPECT_EQ(api::find_or_empty(nodes().front().meta.labels, "karpenter.kwok.sh/kwoknodeclass"), "default");
    world_.run_for(minutes{30});
    EXPECT_EQ(up(), 1u) << "empty, and nobody's to take away";
}

TEST_F(ClaimRig, s1_2_a_standalone_claims_node_is_room_before_and_after_it_is_up) {
    apply(kPool);
    start();
    world_.run_for(seconds{2});
    apply(kStandalone);
    ASSERT_TRUE(comes_up(1));
    apply(deployment("web", 3, "1"));
    EXPECT_TRUE(runs(3, seconds{30}));
    EXPECT_EQ(nodes().size(), 1u) << "nothing was bought for them";
}

TEST_F(ClaimRig, s1_2_a_standalone_claim_can_be_deleted) {
    apply(node_class());
    start();
    apply(kStandalone);
    ASSERT_TRUE(comes_up(1));
    ASSERT_TRUE(world_.remove("nodeclaims", "", "alone"));
    EXPECT_TRUE(until([&] { return claims().empty() && nodes().empty(); }, minutes{1}));
}

TEST_F(ClaimRig, s4_7_a_claim_with_an_id_that_its_cloud_never_gave_is_collected) {
    apply(node_class());
    start();
    apply(kStandalone);
    ASSERT_TRUE(comes_up(1));
    // Somebody else has written it.
    ASSERT_TRUE(world_.patch("nodeclaims", "", "alone",
                             R"({"status":{"providerID":"Provider:///AZ/i-01234567890123456"}})", "status"));
    EXPECT_TRUE(until([&] { return claims().empty(); }, minutes{5}));
}

// What its nodes must carry.
std::string marked_pool() {
    return node_pool({.template_spec = "taints: [{key: dedicated, value: blue, effect: PreferNoSchedule}], "
                                       "startupTaints: [{key: example.com/agent, effect: NoSchedule}]",
                      .template_metadata = "labels: {team: blue}, annotations: {note: keep}",
                      .disruption = "consolidateAfter: Never"});
}

TEST_F(ClaimRig, s4_1_a_node_gets_its_claims_labels_annotations_and_taints_and_waits_for_startup_taints) {
    apply(node_class() + marked_pool());
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(until([&] { return nodes().size() == 1; }, minutes{1}));
    world_.run_for(minutes{1});
    const api::Node node = nodes().front();
    EXPECT_EQ(api::find_or_empty(node.meta.labels, "team"), "blue");
    EXPECT_EQ(api::find_or_empty(node.meta.labels, api::kRegisteredLabel), "true");
    EXPECT_EQ(api::find_or_empty(node.meta.annotations, "note"), "keep");
    EXPECT_TRUE(rules::has_taint(node.taints, "dedicated", api::kPreferNoSchedule));
    EXPECT_TRUE(rules::has_taint(node.taints, "example.com/agent", api::kNoSchedule));
    EXPECT_FALSE(rules::has_taint(node.taints, api::kUnregisteredTaint, api::kNoExecute));
    EXPECT_THAT(node.meta.finalizers, testing::Contains(std::string(api::kTerminationFinalizer)));
    const api::NodeClaim claim = claims().front();
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    ASSERT_NE(initialized, nullptr);
    EXPECT_EQ(initialized->reason, "StartupTaintsExist");
    ASSERT_TRUE(world_.patch("nodes", "", node.meta.name, R"({"spec":{"taints":null}})"));
    EXPECT_TRUE(comes_up(1));
    EXPECT_TRUE(runs(1, minutes{1}));
}

TEST_F(ClaimRig, s4_1_a_node_that_says_so_keeps_the_taints_it_has) {
    apply(node_class());
    start();
    std::string claim(kStandalone);
    claim.replace(claim.find("{name: alone}"), 13,
                  "{name: alone, labels: {karpenter.sh/do-not-sync-taints: \"true\"}}");
    apply(claim + "  taints: [{key: dedicated, effect: NoSchedule}]\n");
    ASSERT_TRUE(comes_up(1));
    EXPECT_TRUE(nodes().front().taints.empty());
}

TEST_F(ClaimRig, s4_1_a_new_node_class_begins_the_pools_registration_health_afresh) {
    const auto health = [&] {
        const auto pool = api::decode_node_pool(world_.get("nodepools", "", "default").value());
        const api::Condition* found = api::find_condition(pool->conditions, "NodeRegistrationHealthy");
        return found == nullptr ? std::string{} : found->status;
    };
    apply(kPool);
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(until([&] { return health() == "True"; }, minutes{1}));
    kill();
    start();
    world_.run_for(seconds{30});
    EXPECT_EQ(health(), "True") << "a restart forgets nothing";
    apply(node_class("default", "nodeRegistrationDelay: 1s"));
    EXPECT_TRUE(until([&] { return health() == "Unknown"; }, seconds{30}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 20));
    EXPECT_TRUE(until([&] { return health() == "True"; }, minutes{1}));
}

TEST_F(ClaimRig, s4_1_a_node_that_never_becomes_ready_is_named_and_its_pods_run_elsewhere) {
    apply(kPool);
    apply(node_class("default", "nodeRegistrationDelay: 5s"));
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(until([&] { return !claims().empty(); }, seconds{5}));
    const api::NodeClaim dud = claims().front();
    world_.kubelet().set_ready_delay(cloud::kwok::node_name(dud), std::nullopt);
    EXPECT_TRUE(runs(1, minutes{20}));
    const auto there = api::decode_node_claim(world_.get("nodeclaims", "", dud.meta.name).value());
    EXPECT_EQ(api::find_condition(there->conditions, "Initialized")->reason, "NodeNotReady");
}

std::string standalone(const std::string& what, const std::string& with) {
    std::string out(kStandalone);
    return out.replace(out.find(what), what.size(), with);
}

TEST_F(ClaimRig, s4_1_a_claim_that_no_type_serves_is_given_up_with_the_reason) {
    apply(node_class());
    start();
    apply(standalone("c-4x-amd64-linux", "no-such-type"));
    EXPECT_TRUE(until([&] { return claims().empty(); }, minutes{1}));
    EXPECT_THAT(said("InsufficientCapacityError"), HasSubstr("no instance type"));
    EXPECT_TRUE(nodes().empty());
}

TEST_F(ClaimRig, s4_1_a_claim_whose_class_is_not_ready_is_given_up_with_the_reason) {
    apply(node_class());
    ASSERT_TRUE(world_.patch(
        "KWOKNodeClass", "", "default",
        R"({"status":{"conditions":[{"type":"Ready","status":"False","reason":"Broken","message":"no network",
                                     "lastTransitionTime":"2026-01-01T00:00:00Z"}]}})",
        "status"));
    start();
    apply(kStandalone);
    EXPECT_TRUE(until([&] { return claims().empty(); }, minutes{1}));
    EXPECT_THAT(said("NodeClassNotReady"), HasSubstr("no network"));
}

// The node of the claim "alone", which comes up without our help.
class EarlyNode : public ClaimRig {
  protected:
    void come_up(const std::vector<std::string>& names) {
        apply(node_class("default", "nodeRegistrationDelay: 24h"));
        start();
        apply(kStandalone);
        ASSERT_TRUE(
            until([&] { return !claims().empty() && !claims().front().provider_id.empty(); }, seconds{10}));
        for (const std::string& name : names) {
            apply(
                fmt::format("{{apiVersion: v1, kind: Node, metadata: {{name: {0}, labels: "
                            "{{kubernetes.io/hostname: {0}}}, "
                            "annotations: {{kwok.x-k8s.io/node: fake}}}}, spec: {{providerID: \"{1}\"}}, "
                            "status: {{capacity: {{cpu: 4, memory: 8Gi, pods: 10}}, "
                            "allocatable: {{cpu: 4, memory: 8Gi, pods: 10}}}}}}",
                            name, claims().front().provider_id));
        }
    }
    api::Condition registered() const {
        const api::NodeClaim claim = claims().front();
        const api::Condition* found = api::find_condition(claim.conditions, "Registered");
        return found == nullptr ? api::Condition{} : *found;
    }
};

TEST_F(EarlyNode, s4_1_without_the_unregistered_taint_it_is_registered_with_a_warning) {
    come_up({"early"});
    EXPECT_TRUE(comes_up(1));
    EXPECT_EQ(claims().front().node_name, "early");
    EXPECT_THAT(said("UnregisteredTaintMissing"), HasSubstr("karpenter.sh/unregistered"));
}

TEST_F(EarlyNode, s4_1_two_of_one_id_are_nobodys) {
    come_up({"early", "twin"});
    EXPECT_TRUE(until([&] { return registered().status == "False"; }, seconds{30}));
    EXPECT_EQ(registered().reason, "MultipleNodesFound");
}

TEST_F(ClaimRig, s4_6_idle_time_begins_anew_with_each_pod_that_comes_or_goes_but_daemons) {
    apply(node_class() +
          node_pool({.requirements = of_types(sim::kFourCpus), .disruption = "consolidateAfter: 10m"}));
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(comes_up(1));
    const auto is_idle = [&] { return rules::is_true(claims().front().conditions, "Consolidatable"); };
    for (const int replicas : {2, 1}) {
        world_.run_for(minutes{8});
        EXPECT_FALSE(is_idle()) << replicas;
        ASSERT_TRUE(world_.scale("Deployment", "default", "web", replicas));
    }
    world_.run_for(minutes{8});
    EXPECT_FALSE(is_idle());
    apply(R"({apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {
              selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {
              containers: [{name: app, image: sample, resources: {requests: {cpu: 100m}}}]}}}})");
    EXPECT_TRUE(until([&] { return is_idle(); }, minutes{3}));
    EXPECT_EQ(running(), 2u);
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"consolidateAfter":"Never"}}})"));
    EXPECT_TRUE(until([&] { return !is_idle(); }, minutes{1}));
}

TEST_F(ClaimRig, s4_7_a_node_with_less_than_was_promised_is_named) {
    apply(kPool);
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(comes_up(1));
    const auto consistent = [&] {
        const api::NodeClaim claim = claims().front();
        const api::Condition* found = api::find_condition(claim.conditions, "ConsistentStateFound");
        return found == nullptr ? std::string{} : found->status;
    };
    ASSERT_TRUE(until([&] { return consistent() == "True"; }, minutes{2}));
    ASSERT_TRUE(world_.patch("nodes", "", nodes().front().meta.name,
                             R"({"status":{"capacity":{"memory":"1Mi"}}})", "status"));
    EXPECT_TRUE(until([&] { return consistent() == "False"; }, minutes{11}));
    EXPECT_THAT(said("FailedConsistencyCheck"), HasSubstr("of the memory"));
}

TEST_F(ClaimRig, s4_7_a_claim_whose_instance_is_gone_is_collected) {
    apply(kPool);
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(comes_up(1));
    const std::string lost = claims().front().meta.name;
    ASSERT_TRUE(world_.patch("nodes", "", nodes().front().meta.name, R"({"metadata":{"finalizers":null}})"));
    ASSERT_TRUE(world_.remove("nodes", "", nodes().front().meta.name));
    EXPECT_TRUE(until([&] { return !world_.get("nodeclaims", "", lost); }, minutes{3}));
    EXPECT_TRUE(runs(1, minutes{3}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

std::string static_pool(int replicas, const std::string& more = {}) {
    return node_class() + node_pool({.name = "fixed",
                                     .requirements = of_types(sim::kFourCpus),
                                     .template_metadata = "labels: {generation: one}",
                                     .spec = fmt::format("replicas: {}{}", replicas, more),
                                     .disruption = "consolidateAfter: 0s, budgets: [{nodes: \"1\"}]"});
}

class StaticRig : public ClaimRig {
  protected:
    static control::Options with_static_pools() {
        control::Options out = alone();
        out.gates.static_capacity = true;
        return out;
    }
    void scale_pool(int replicas) {
        ASSERT_TRUE(
            world_.patch("NodePool", "", "fixed", fmt::format(R"({{"spec":{{"replicas":{}}}}})", replicas)));
    }
    std::size_t of_generation(const std::string& generation) const {
        const std::vector<api::Node> all = nodes();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, "generation") == generation;
        }));
    }
};

TEST_F(StaticRig, s4_9_a_static_pool_keeps_its_number_of_nodes) {
    apply(static_pool(3));
    start(with_static_pools());
    EXPECT_TRUE(comes_up(3));
    world_.run_for(minutes{10});
    EXPECT_EQ(up(), 3u) << "empty, and not taken away";
    EXPECT_EQ(disorder(), "");
    ASSERT_TRUE(world_.remove("nodeclaims", "", claims().front().meta.name));
    world_.run_for(seconds{5});
    EXPECT_TRUE(comes_up(3));
}

TEST_F(StaticRig, s4_9_without_its_gate_a_static_pool_is_left_alone) {
    apply(static_pool(3));
    start();
    world_.run_for(minutes{5});
    EXPECT_TRUE(claims().empty());
}

TEST_F(StaticRig, s4_9_a_static_pools_nodes_are_room_for_pods) {
    apply(static_pool(2));
    start(with_static_pools());
    ASSERT_TRUE(comes_up(2));
    apply(deployment("web", 5, "1"));
    EXPECT_TRUE(runs(5, seconds{30}));
    EXPECT_EQ(nodes().size(), 2u);
}

TEST_F(StaticRig, s4_9_it_never_grows_past_its_node_limit) {
    apply(static_pool(5, ", limits: {nodes: 3}"));
    start(with_static_pools());
    ASSERT_TRUE(comes_up(3));
    world_.run_for(minutes{5});
    EXPECT_EQ(claims().size(), 3u);
    EXPECT_THAT(said("StaticCapacityLimited"), HasSubstr("3 of 5 replicas"));
}

TEST_F(StaticRig, s4_9_it_shrinks_by_its_empty_nodes_first) {
    apply(static_pool(3));
    start(with_static_pools());
    ASSERT_TRUE(comes_up(3));
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(runs(1, seconds{30}));
    scale_pool(1);
    ASSERT_TRUE(comes_up(1));
    EXPECT_EQ(running(), 1u);
    scale_pool(0);
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{2}));
}

TEST_F(StaticRig, s4_9_drifted_nodes_are_replaced_one_for_one_within_the_budget) {
    apply(static_pool(3));
    start(with_static_pools());
    ASSERT_TRUE(comes_up(3));
    ASSERT_TRUE(world_.patch("NodePool", "", "fixed",
                             R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})"));
    std::size_t most = 0;
    std::size_t fewest = 3;
    EXPECT_TRUE(until(
        [&] {
            // Budgets count nodes: a claim whose node is gone already is none.
            most = std::max(most, nodes().size());
            fewest = std::min(fewest, up());
            return of_generation("two") == 3 && claims().size() == 3;
        },
        minutes{10}));
    EXPECT_EQ(most, 4u);
    EXPECT_EQ(fewest, 3u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(StaticRig, s4_9_where_the_node_limit_leaves_no_room_drift_waits_and_says_so) {
    apply(static_pool(2, ", limits: {nodes: 2}"));
    start(with_static_pools());
    ASSERT_TRUE(comes_up(2));
    ASSERT_TRUE(world_.patch("NodePool", "", "fixed",
                             R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})"));
    world_.run_for(minutes{5});
    EXPECT_EQ(of_generation("one"), 2u);
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("limits.nodes (2)"));
    std::set<std::string> told;
    for (const std::string& text : world_.list("events")) {
        const auto event = nlohmann::json::parse(text);
        if (event.value("reason", "") == "DisruptionBlocked") told.insert(event["involvedObject"]["kind"]);
    }
    EXPECT_EQ(told, (std::set<std::string>{"Node", "NodeClaim", "NodePool"}));
}

TEST_F(StaticRig, s5_6_where_the_node_limit_leaves_no_room_drifted_nodes_may_go_first) {
    apply(static_pool(2, ", limits: {nodes: 2}"));
    control::Options options = with_static_pools();
    options.gates.terminate_first_drift = true;
    start(options);
    ASSERT_TRUE(comes_up(2));
    ASSERT_TRUE(world_.patch("NodePool", "", "fixed",
                             R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})"));
    std::size_t most = 0;
    std::size_t fewest = 2;
    EXPECT_TRUE(until(
        [&] {
            most = std::max(most, nodes().size());
            fewest = std::min(fewest, up());
            return of_generation("two") == 2 && comes_up(2, Duration{0});
        },
        minutes{10}));
    EXPECT_EQ(most, 2u);
    EXPECT_EQ(fewest, 1u) << "one after the other, as the budget has it";
    EXPECT_THAT(processes_.back()->metrics.text(),
                HasSubstr("karpenter_voluntary_disruption_terminate_first_decisions_total{nodepool=\"fixed\","
                          "reason=\"drifted\",terminate_first_reason=\"static-at-limit\"} 2"));
}

TEST_F(StaticRig, s4_9_restarts_in_the_middle_end_with_the_right_number) {
    apply(static_pool(5));
    for (int i = 0; i < 10; ++i) {
        start(with_static_pools());
        world_.run_for(std::chrono::milliseconds{100 + 40 * i});
        kill();
    }
    start(with_static_pools());
    EXPECT_TRUE(comes_up(5));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

}  // namespace
}  // namespace joiner
