// Nodes on full reservations that go before what replaces them. The names carry the section of Karpenter's
// behaviour they hold. The whole controller on virtual time, with a cloud that has one reserved machine.
#include <gmock/gmock.h>

#include "cli/testing/rack_rig.h"
#include "plan/disrupt/terminate_first.h"

namespace joiner {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNextGeneration =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

class TerminateFirstRig : public RackRig {
  protected:
    // One machine of four cores is reserved, and none is sold otherwise.
    static std::vector<rules::InstanceType> one_reserved() {
        rules::InstanceType type = cloud::testing::rack_types().front();
        type.requirements.replace(reserved());
        rules::Offering offering;
        offering.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {"rack-a"}));
        offering.requirements.add(reserved());
        offering.price = rules::Money::from_dollars(0.01);
        offering.reservation_capacity = 1;
        type.offerings = {offering};
        return {type};
    }
    static rules::Requirement reserved() {
        return rules::Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(api::kReserved)});
    }
    static control::Options with(plan::TerminateFirst first) {
        control::Options out = alone();
        out.gates.static_capacity = true;
        out.gates.node_repair = true;
        out.gates.terminate_first_drift = first.drift;
        out.gates.terminate_first_repair = first.repair;
        return out;
    }
    void start_with(plan::TerminateFirst first) {
        start(with(first));
        provider_->set_types(one_reserved());
    }
    void install(std::string_view spec = {}) {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(rack_pool("reserved", spec, "generation: one"));
    }
    bool is_up(std::string_view generation) const {
        const std::vector<api::Node> all = nodes();
        return all.size() == 1 && api::find_or_empty(all[0].meta.labels, "generation") == generation &&
               api::find_or_empty(all[0].meta.labels, "karpenter.sh/initialized") == "true";
    }
    // The generation that comes up next, with never more machines at a time than are reserved.
    bool is_replaced_in_its_place() {
        std::size_t most = 0;
        const bool done = until(
            [&] {
                most = std::max(most, rack_.machines().size());
                return is_up("two");
            },
            minutes{10});
        EXPECT_EQ(most, 1u);
        return done;
    }
    std::string metrics() const { return processes_.back()->metrics.text(); }
};

constexpr std::string_view kDecisions = "karpenter_voluntary_disruption_terminate_first_decisions_total";

TEST_F(TerminateFirstRig, s5_6_a_drifted_node_on_a_full_reservation_goes_first_where_its_gate_is_on) {
    start_with({});
    install();
    apply(deployment("web", 2, "1", {.pod = "nodeSelector: {karpenter.sh/nodepool: rack}"}));
    ASSERT_TRUE(runs(2, minutes{1}));
    ASSERT_TRUE(world_.patch("NodePool", "", "rack", kNextGeneration));
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_up("one")) << "nothing can come up beside it";
    kill();
    start_with({.drift = true});
    EXPECT_TRUE(is_replaced_in_its_place());
    EXPECT_TRUE(runs(2, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(metrics(),
                HasSubstr(fmt::format("{}{{nodepool=\"rack\",reason=\"drifted\",terminate_first_reason="
                                      "\"no-reserved-capacity\"}} 1",
                                      kDecisions)));
}

TEST_F(TerminateFirstRig, s5_6_of_drift_only_where_the_gate_is_that_of_repair) {
    start_with({.repair = true});
    install();
    apply(deployment("web", 1, "1", {.pod = "nodeSelector: {karpenter.sh/nodepool: rack}"}));
    ASSERT_TRUE(runs(1, minutes{1}));
    ASSERT_TRUE(world_.patch("NodePool", "", "rack", kNextGeneration));
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_up("one"));
}

TEST_F(TerminateFirstRig, s4_9_a_static_pool_whose_reservations_are_full_replaces_in_place_by_its_gate) {
    start_with({});
    install("replicas: 1");
    ASSERT_TRUE(until([&] { return is_up("one"); }, minutes{1}));
    ASSERT_TRUE(world_.patch("NodePool", "", "rack", kNextGeneration));
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_up("one"));
    EXPECT_EQ(rack_.machines().size(), 1u) << "none is asked for that cannot be had";
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("every reservation that the NodePool may use is full"));
    kill();
    start_with({.drift = true});
    EXPECT_TRUE(is_replaced_in_its_place());
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(metrics(),
                HasSubstr(fmt::format("{}{{nodepool=\"rack\",reason=\"drifted\",terminate_first_reason="
                                      "\"no-reserved-capacity\"}} 1",
                                      kDecisions)));
}

}  // namespace
}  // namespace joiner
