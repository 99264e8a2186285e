#include "control/feature_gates.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

TEST(FeatureGates, gates_are_read_by_name) {
    struct Case {
        std::string_view text;
        FeatureGates expected;
    };
    const Case cases[] = {
        {"", {}},
        {"NodeOverlay=true", {.node_overlay = true}},
        {"NodeOverlay=true, CapacityBuffer=1", {.node_overlay = true, .capacity_buffer = true}},
        {"ReservedCapacity=false", {.reserved_capacity = false}},
        {"StaticCapacity=true,StaticCapacity=false", {}},
        {"NodeRepair=t,SpotToSpotConsolidation=T,",
         {.node_repair = true, .spot_to_spot_consolidation = true}},
        {"TerminateFirstDrift=true,TerminateFirstRepair=true,PodDeletionCostManagement=true",
         {.terminate_first_drift = true,
          .terminate_first_repair = true,
          .pod_deletion_cost_management = true}},
        {"SomethingNewer=true", {}},
        {"nodeoverlay=true", {}},
    };
    for (const Case& c : cases) {
        const auto gates = parse_feature_gates(c.text);
        ASSERT_TRUE(gates) << c.text;
        EXPECT_EQ(*gates, c.expected) << c.text;
    }
}

TEST(FeatureGates, an_entry_that_says_neither_yes_nor_no_is_named) {
    for (const std::string_view text : {"NodeOverlay", "NodeOverlay=", "NodeOverlay=yes", "=maybe"}) {
        const auto gates = parse_feature_gates(text);
        ASSERT_FALSE(gates) << text;
        EXPECT_NE(gates.error().message.find(text), std::string::npos) << gates.error().message;
    }
}

}  // namespace
}  // namespace joiner::control
