// Stock-outs: what is remembered of them, over a restart too. The whole controller on
// virtual time.
#include <gmock/gmock.h>

#include "cli/testing/rack_rig.h"

namespace joiner {
namespace {

class StockMemoryRig : public RackRig {
  protected:
    StockMemoryRig() {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(rack_pool("on-demand, spot"));
    }
    // All of the type.
    void sell_out(std::string_view type, std::string_view capacity_type) {
        for (const char* zone : {"rack-a", "rack-b"})
            rack_.sold_out.insert({std::string(type), zone, std::string(capacity_type), ""});
    }
    // What the ConfigMap says.
    std::string remembered() const {
        const auto text = world_.get("configmaps", "default", "joiner-shortages");
        return text ? nlohmann::json::parse(*text)["data"]["shortages"].get<std::string>() : std::string();
    }
};

TEST_F(StockMemoryRig, after_a_restart_nothing_is_tried_again_that_was_known_to_be_out) {
    start();
    for (const char* type : {"rack-4", "rack-16"}) sell_out(type, "spot");
    apply(deployment("web", 3, "3"));
    ASSERT_TRUE(runs(3, minutes{1}));
    const auto known = rack_.refused;
    ASSERT_FALSE(known.empty());
    EXPECT_TRUE(until([&] { return remembered().find("rack-4 rack-a spot - until ") != std::string::npos; },
                      seconds{10}));
    kill();
    start();
    world_.run_for(seconds{1});
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 4));
    EXPECT_TRUE(runs(4, minutes{1}));
    for (const auto& [offering, times] : known)
        EXPECT_EQ(rack_.refused[offering], times) << rules::to_string(offering);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(StockMemoryRig, the_memory_goes_when_it_is_old) {
    start();
    sell_out("rack-4", "spot");
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, minutes{1}));
    world_.run_for(seconds{10});
    EXPECT_THAT(remembered(), testing::HasSubstr("class rack.test RackNodeClass default generation 1"));
    world_.run_for(minutes{32});
    EXPECT_EQ(remembered(), "");
}

TEST_F(StockMemoryRig, without_anything_short_nothing_is_written) {
    start();
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, minutes{1}));
    world_.run_for(minutes{1});
    EXPECT_FALSE(world_.get("configmaps", "default", "joiner-shortages"));
}

// What somebody has made of the object holds up nothing.
TEST_F(StockMemoryRig, a_memory_that_says_nothing_is_none) {
    apply(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: joiner-shortages}, data: {shortages: \"x\\ny "
        "z\"}}");
    start();
    sell_out("rack-4", "spot");
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, seconds{20}));
    EXPECT_TRUE(until([&] { return remembered().starts_with("class "); }, seconds{20}));
}

// As `kubectl describe` shows it.
TEST_F(StockMemoryRig, the_pool_the_metrics_and_the_decision_log_say_what_is_left_alone) {
    const auto condition = [&] {
        const auto pool = api::decode_node_pool(*world_.get("nodepools", "", "rack"));
        const api::Condition* its = api::find_condition(pool->conditions, "OfferingsAvailable");
        return its == nullptr ? std::string() : its->status + " " + its->reason + " " + its->message;
    };
    start();
    sell_out("rack-4", "spot");
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, minutes{1}));
    EXPECT_TRUE(until([&] { return !condition().empty(); }, seconds{75}));
    EXPECT_THAT(condition(),
                testing::HasSubstr("False SoldOut launches found sold out, and leave alone: rack-4 "
                                   "in rack-a, spot until 20"));
    EXPECT_THAT(decided_of_pool("rack", observe::Matter::kReadiness),
                testing::HasSubstr("rack-4 in rack-b, spot"));
    const auto metrics = [&] { return processes_.back()->metrics.text(); };
    EXPECT_THAT(metrics(), testing::HasSubstr("joiner_offering_sold_out{capacity_type=\"spot\",instance_type="
                                              "\"rack-4\",nodeclass=\"default\",zone=\"rack-a\"} 1"));
    EXPECT_THAT(metrics(), testing::HasSubstr("joiner_launch_offerings_sold_out_total{nodepool=\"rack\"} 2"));
    world_.run_for(minutes{5});
    EXPECT_EQ(condition(), "");
    EXPECT_THAT(metrics(), testing::HasSubstr("zone=\"rack-a\"} 0"));
    world_.run_for(minutes{32});
    EXPECT_THAT(metrics(), testing::Not(testing::HasSubstr("joiner_offering_sold_out{")));
}

}  // namespace
}  // namespace joiner
