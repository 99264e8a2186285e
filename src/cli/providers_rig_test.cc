// Two clouds in one process, KWOK's and the test's rack: each serves its own pools, and what a cloud says of
// itself is acted upon. The whole controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/rack_rig.h"

namespace joiner {
namespace {

using cloud::InstanceEvent;

std::string pods_of(std::string_view pool, int replicas, std::string_view cpu = "1") {
    return deployment(pool, replicas, cpu,
                      {.pod = pool == "rack" ? "nodeSelector: {karpenter.sh/nodepool: rack}"
                                             : "nodeSelector: {karpenter.sh/nodepool: default}"});
}

class ProvidersRig : public RackRig {
  protected:
    // "False: the message"; empty: the pool has none of this type.
    std::string pool_condition(const std::string& pool, std::string_view type) const {
        const auto there = api::decode_node_pool(*world_.get("nodepools", "", pool));
        const api::Condition* condition = api::find_condition(there->conditions, type);
        return condition == nullptr ? "" : condition->status + ": " + condition->message;
    }
    void sell_out(std::string_view type, std::string_view capacity_type) {
        for (const char* zone : {"rack-a", "rack-b"})
            rack_.sold_out.insert({std::string(type), zone, std::string(capacity_type), ""});
    }
    std::string created_claims() {
        std::string out;
        for (const api::NodeClaim& claim : claims()) out += claim.meta.name + " ";
        return out;
    }
};

TEST_F(ProvidersRig, each_cloud_serves_its_own_pools_and_nothing_is_left_of_either) {
    apply(kPool);
    install_rack();
    start();
    apply(pods_of("default", 6));
    apply(pods_of("rack", 6));
    ASSERT_TRUE(runs(12, minutes{1}));
    EXPECT_FALSE(rack_.machines().empty());
    std::size_t of_rack = 0;
    for (const api::Node& node : nodes()) {
        const bool is_rack = node.provider_id.starts_with("rack://");
        EXPECT_EQ(api::find_or_empty(node.meta.labels, api::kNodePoolLabel), is_rack ? "rack" : "default");
        EXPECT_EQ(node.meta.labels.contains("rack.test/racknodeclass"), is_rack);
        of_rack += is_rack;
    }
    EXPECT_EQ(of_rack, rack_.machines().size());
    EXPECT_EQ(disorder_after(minutes{1}), "");
    ASSERT_TRUE(world_.scale("Deployment", "default", "rack", 0));
    ASSERT_TRUE(world_.scale("Deployment", "default", "default", 0));
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{3}));
    EXPECT_TRUE(rack_.machines().empty());
}

TEST_F(ProvidersRig, a_kind_that_is_not_installed_holds_up_nothing_and_is_served_once_it_is) {
    apply(kPool);
    start();
    apply(pods_of("default", 3));
    ASSERT_TRUE(runs(3, seconds{10}));
    install_rack();
    apply(pods_of("rack", 3));
    EXPECT_TRUE(runs(6, minutes{3}));
}

TEST_F(ProvidersRig, a_launch_that_is_sold_out_goes_on_with_the_next_offering_of_the_same_claim) {
    install_rack();
    apply(rack_pool("spot, on-demand"));
    sell_out("rack-4", "spot");
    start();
    apply(pods_of("rack", 3));
    ASSERT_TRUE(runs(3, minutes{1}));
    ASSERT_EQ(rack_.machines().size(), 1u);
    EXPECT_EQ(rack_.machines()[0].offering.type, "rack-4");
    EXPECT_EQ(rack_.machines()[0].offering.capacity_type, "on-demand");
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr("karpenter_nodeclaims_created_total{min_values_relaxed=\"false\",nodepool="
                                   "\"rack\",reason=\"provisioned\"} 1\n"));
    // The next plan knows.
    rack_.sold_out.clear();
    apply(pods_of("rack", 6));
    ASSERT_TRUE(runs(6, minutes{1}));
    for (const RackMachine& machine : rack_.machines())
        EXPECT_EQ(machine.offering.capacity_type, "on-demand");
}

TEST_F(ProvidersRig, a_type_that_comes_while_we_run_is_bought_at_once) {
    install_rack();
    start();
    apply(pods_of("rack", 1, "20"));
    world_.run_for(minutes{1});
    EXPECT_EQ(running(), 0u);
    auto types = cloud::testing::rack_types();
    types[1].capacity.cpu_milli = 64'000;
    provider_->set_types(types);
    EXPECT_TRUE(until([&] { return !rack_.machines().empty(); }, seconds{3}));
}

TEST_F(ProvidersRig, a_pool_whose_types_are_not_known_says_what_its_cloud_says) {
    install_rack();
    start();
    provider_->hide_types("the rack does not answer");
    apply(pods_of("rack", 1));
    world_.run_for(seconds{20});
    EXPECT_TRUE(rack_.machines().empty());
    EXPECT_EQ(pool_condition("rack", "InstanceTypesFound"), "False: the rack does not answer");
    EXPECT_THAT(said("FailedScheduling"), testing::HasSubstr("NodePool rack: the rack does not answer"));
    provider_->set_types(cloud::testing::rack_types());
    EXPECT_TRUE(runs(1, minutes{1}));
    EXPECT_EQ(pool_condition("rack", "InstanceTypesFound"), "");
}

TEST_F(ProvidersRig, a_claim_is_asked_only_for_labels_that_its_own_cloud_knows) {
    apply(kPool);
    install_rack();
    start();
    constexpr std::string_view kKwoksLabel = "karpenter.kwok.sh/instance-family";
    apply(deployment(
        "rack", 1, "1",
        {.pod = fmt::format("nodeSelector: {{karpenter.sh/nodepool: rack}}, affinity: {{nodeAffinity: {{"
                            "requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{"
                            "matchExpressions: [{{key: {}, operator: NotIn, values: [c]}}]}}]}}}}}}",
                            kKwoksLabel)}));
    ASSERT_TRUE(runs(1, minutes{1}));
    for (const api::NodeClaim& claim : claims()) {
        for (const api::SelectorRequirement& one : claim.requirements) EXPECT_NE(one.key, kKwoksLabel);
    }
}

TEST_F(ProvidersRig, a_node_is_judged_by_the_repair_policies_of_its_own_cloud) {
    apply(kPool);
    install_rack();
    control::Options options = alone();
    options.gates.node_repair = true;
    start(options);
    apply(pods_of("default", 1));
    apply(pods_of("rack", 1));
    ASSERT_TRUE(runs(2, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    const std::vector<api::Node> sick = nodes();
    ASSERT_EQ(sick.size(), 2u);
    for (const api::Node& node : sick) set_condition(node.meta.name, "KWOKUnhealthy", "True");
    const auto is_there = [&](const api::Node& node) {
        return world_.get("nodes", "", node.meta.name).has_value();
    };
    for (const api::Node& node : sick) {
        const bool is_rack = node.provider_id.starts_with("rack://");
        EXPECT_EQ(until([&] { return !is_there(node); }, minutes{5}), !is_rack) << node.meta.name;
    }
}

TEST_F(ProvidersRig, a_label_that_one_cloud_keeps_to_itself_may_stand_in_a_pool_of_another) {
    apply(kPool);
    install_rack();
    for (const char* pool : {"default", "rack"})
        ASSERT_TRUE(
            world_.patch("NodePool", "", pool,
                         R"({"spec":{"template":{"metadata":{"labels":{"karpenter.kwok.sh/row":"7"}}}}})"));
    start();
    world_.run_for(seconds{5});
    EXPECT_THAT(pool_condition("default", "ValidationSucceeded"), testing::HasSubstr("False: "));
    EXPECT_EQ(pool_condition("rack", "ValidationSucceeded"), "True: ");
}

TEST_F(ProvidersRig, a_class_that_its_provider_refuses_says_why_and_is_used_once_it_is_mended) {
    apply(kRackDefinition);
    apply("---\n{apiVersion: rack.test/v1, kind: RackNodeClass, metadata: {name: default}, spec: {}}\n");
    apply(rack_pool());
    start();
    apply(pods_of("rack", 2));
    world_.run_for(seconds{20});
    EXPECT_TRUE(rack_.machines().empty());
    EXPECT_EQ(rack_class()["status"]["conditions"][0]["message"], "spec.image is missing: name the image");
    ASSERT_TRUE(world_.patch("racknodeclasses", "", "default", R"({"spec":{"image":"i-1"}})"));
    EXPECT_TRUE(runs(2, minutes{1}));
    EXPECT_EQ(rack_class()["status"]["image"], "i-1");
}

TEST_F(ProvidersRig, a_class_that_is_deleted_stays_until_no_claim_needs_it) {
    install_rack();
    start();
    apply(pods_of("rack", 2));
    ASSERT_TRUE(runs(2, minutes{1}));
    ASSERT_TRUE(world_.remove("racknodeclasses", "", "default"));
    world_.run_for(minutes{1});
    EXPECT_FALSE(rack_class().is_null()) << "it is in use";
    ASSERT_TRUE(world_.scale("Deployment", "default", "rack", 0));
    EXPECT_TRUE(until([&] { return rack_class().is_null(); }, minutes{5}));
    EXPECT_TRUE(claims().empty());
}

TEST_F(ProvidersRig, a_machine_that_the_cloud_takes_back_is_drained_in_time_and_not_bought_again) {
    install_rack();
    apply(rack_pool("spot"));
    start();
    apply(pods_of("rack", 2));
    ASSERT_TRUE(runs(2, minutes{1}));
    const RackMachine taken = rack_.machines().front();
    reports_->happened({InstanceEvent::Kind::kInterruption, taken.id, world_.loop().now() + minutes{2},
                        "SpotInterrupted", "the cloud takes the machine back"});
    EXPECT_TRUE(until([&] { return rack_.find(taken.id) == nullptr && running() == 2; }, minutes{2}));
    EXPECT_THAT(said("SpotInterrupted"), testing::HasSubstr("takes the machine back"));
    for (const RackMachine& machine : rack_.machines()) EXPECT_NE(machine.offering, taken.offering);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(ProvidersRig, what_may_be_taken_back_is_said_and_left_alone) {
    install_rack();
    start();
    apply(pods_of("rack", 2));
    ASSERT_TRUE(runs(2, minutes{1}));
    const RackMachine machine = rack_.machines().front();
    reports_->happened({InstanceEvent::Kind::kRebalance,
                        machine.id,
                        {},
                        "SpotRebalanceRecommendation",
                        "the machine is at risk"});
    reports_->happened({InstanceEvent::Kind::kGone, "rack://unknown", {}, "InstanceTerminating", ""});
    world_.run_for(minutes{1});
    EXPECT_NE(rack_.find(machine.id), nullptr);
    EXPECT_NE(said("SpotRebalanceRecommendation"), "");
}

TEST_F(ProvidersRig, a_cloud_that_cannot_list_makes_nothing_look_gone) {
    install_rack();
    apply(kPool);
    start();
    apply(pods_of("rack", 2));
    apply(pods_of("default", 2));
    ASSERT_TRUE(runs(4, minutes{1}));
    rack_.faults.throttle = 1'000'000;
    world_.run_for(minutes{10});
    EXPECT_EQ(running(), 4u);
    EXPECT_EQ(claims().size(), nodes().size());
}

TEST_F(ProvidersRig, an_answer_that_never_comes_costs_time_and_no_second_machine) {
    install_rack();
    start();
    rack_.faults.lose_answers = 1;
    apply(pods_of("rack", 2));
    EXPECT_TRUE(runs(2, minutes{5}));
    EXPECT_EQ(rack_.machines().size(), 1u);
    EXPECT_EQ(disorder_after(minutes{5}), "");
}

TEST_F(ProvidersRig, drift_that_the_cloud_sees_is_marked_and_stays_while_it_does_not_know) {
    install_rack();
    apply(R"(---
{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: rack}, spec: {disruption: {consolidateAfter: 5s, budgets: [{nodes: "0"}]}}})");
    start();
    apply(pods_of("rack", 2));
    ASSERT_TRUE(runs(2, minutes{1}));
    const auto is_drifted = [&] {
        const api::NodeClaim claim = claims().front();
        return api::find_condition(claim.conditions, "Drifted") != nullptr;
    };
    provider_->drifted = {cloud::DriftAnswer::Kind::kDrifted, "ImageDrifted"};
    ASSERT_TRUE(until(is_drifted, minutes{1}));
    provider_->drifted = {cloud::DriftAnswer::Kind::kNotKnown};
    world_.run_for(minutes{1});
    EXPECT_TRUE(is_drifted());
    provider_->drifted = {};
    EXPECT_TRUE(until([&] { return !is_drifted(); }, minutes{1}));
}

}  // namespace
}  // namespace joiner
