#include "rules/repair_policies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace joiner::rules {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr WallTime kNow{seconds{1'800'000'000}};

const std::vector<RepairPolicy> kPolicies = {
    {.condition = "Ready", .status = "False", .toleration = minutes{10}, .termination_grace = Duration{0}},
    {.condition = "Ready", .status = "Unknown", .reason_regex = ".*", .toleration = minutes{20}},
    {.condition = "Gpu",
     .status = "False",
     .reason_regex = "XID(46|48)",
     .toleration = minutes{5},
     .termination_grace = minutes{5},
     .action = RepairAction::kReboot},
    {.condition = "Gpu",
     .status = "False",
     .reason_regex = "XID7.",
     .toleration = minutes{5},
     .priority = 50},
    {.condition = "Disk",
     .status = "True",
     .reason_regex = ".*",
     .toleration = minutes{1},
     .termination_grace = hours{1},
     .priority = 20},
};

RepairPolicies policies() {
    return *RepairPolicies::make(kPolicies);
}

api::Node a_node(std::vector<api::Condition> conditions) {
    api::Node out;
    out.meta.created = kNow - hours{10};
    out.conditions = std::move(conditions);
    return out;
}

TEST(RepairPolicies, s4_8_say_what_is_to_be_done_once_it_is_due) {
    const struct {
        const char* name;
        std::vector<api::Condition> conditions;
        std::string expected;  // "action condition grace", or empty.
    } cases[] = {
        {"all is well", {{"Ready", "True", "", "", kNow - hours{1}, 0}}, ""},
        {"not long enough", {{"Ready", "False", "", "", kNow - minutes{10} + seconds{1}, 0}}, ""},
        {"long enough", {{"Ready", "False", "", "", kNow - minutes{10}, 0}}, "replace Ready 0s"},
        {"a policy without a grace period",
         {{"Ready", "Unknown", "Quiet", "", kNow - minutes{20}, 0}},
         "replace Ready -"},
        {"a reason that matches somewhere",
         {{"Gpu", "False", "NvidiaXID46Error", "", kNow - minutes{5}, 0}},
         "reboot Gpu 5m0s"},
        {"a reason that none of its own matches is for the one for all others",
         {{"Gpu", "False", "Other", "", kNow - minutes{10}, 0}},
         "replace Gpu 0s"},
        {"after its own time", {{"Gpu", "False", "Other", "", kNow - minutes{5}, 0}}, ""},
        {"a status that nobody names", {{"Gpu", "True", "XID46", "", kNow - hours{1}, 0}}, ""},
        {"replacing goes before rebooting, and the shortest grace holds for both",
         {{"Gpu", "False", "XID46", "", kNow - hours{1}, 0},
          {"Disk", "True", "Full", "", kNow - minutes{1}, 0}},
         "replace Disk 5m0s"},
        {"the higher priority first",
         {{"Disk", "True", "", "", kNow - hours{1}, 0}, {"Gpu", "False", "XID79", "", kNow - minutes{5}, 0}},
         "replace Gpu 1h0m0s"},
    };
    for (const auto& c : cases) {
        const auto verdict = policies().judge(a_node(c.conditions), kNoTime, kNow);
        std::string said;
        if (verdict) {
            said = (verdict->action == RepairAction::kReboot ? "reboot " : "replace ") + verdict->condition +
                   " " + (verdict->termination_grace ? format_duration(*verdict->termination_grace) : "-");
        }
        EXPECT_EQ(said, c.expected) << c.name;
    }
}

TEST(RepairPolicies, s4_8_tolerating_begins_no_sooner_than_the_node_and_its_last_reboot) {
    api::Node node = a_node({{"Ready", "False", "", "", kNow - hours{1}, 0}});
    EXPECT_EQ(policies().judge(node, kNoTime, kNow)->due, kNow - minutes{50});
    node.meta.created = kNow - minutes{30};
    EXPECT_EQ(policies().judge(node, kNoTime, kNow)->due, kNow - minutes{20});
    EXPECT_FALSE(policies().judge(node, kNow - minutes{9}, kNow));
    EXPECT_EQ(policies().next_due(node, kNow - minutes{9}, kNow), kNow + minutes{1});
    EXPECT_EQ(policies().next_due(node, kNoTime, kNow), std::nullopt);
}

TEST(RepairPolicies, s4_8_half_an_hour_of_waiting_is_worth_one_rank) {
    const auto score = [](const char* condition, const char* status, const char* reason, Duration since_due,
                          Duration toleration) {
        return policies()
            .judge(a_node({{condition, status, reason, "", kNow - toleration - since_due, 0}}), kNoTime, kNow)
            ->score;
    };
    EXPECT_NEAR(score("Ready", "False", "", minutes{0}, minutes{10}), 0, 1e-9);
    EXPECT_NEAR(score("Disk", "True", "", minutes{0}, minutes{1}), 1, 1e-9);
    EXPECT_NEAR(score("Gpu", "False", "XID79", minutes{0}, minutes{5}), 2, 1e-9);
    EXPECT_NEAR(score("Ready", "False", "", minutes{75}, minutes{10}), 2.5, 1e-9);
}

TEST(RepairPolicies, s4_8_a_node_is_sick_with_any_status_that_a_policy_names) {
    EXPECT_TRUE(policies().call_sick(a_node({{"Gpu", "False", "Whatever", "", kNow, 0}})));
    EXPECT_TRUE(policies().call_sick(a_node({{"Ready", "False", "", "", kNow, 0}})));
    EXPECT_TRUE(policies().call_sick(a_node({{"Ready", "Unknown", "", "", kNow, 0}})));
    EXPECT_FALSE(policies().call_sick(a_node({{"Gpu", "True", "XID46", "", kNow, 0}})));
    EXPECT_FALSE(RepairPolicies{}.call_sick(a_node({{"Ready", "False", "", "", kNow, 0}})));
}

TEST(RepairPolicies, s4_8_a_set_that_cannot_be_used_is_refused) {
    const struct {
        const char* says;
        std::function<void(std::vector<RepairPolicy>&)> edit;
    } cases[] = {
        {"exactly one must be for all other reasons (no reason), not 0",
         [](auto& all) { all.erase(all.begin()); }},
        {"not 2", [](auto& all) { all[1].reason_regex.clear(); }},
        {"must replace the node", [](auto& all) { all[0].action = RepairAction::kReboot; }},
        {"no regular expression", [](auto& all) { all[1].reason_regex = "("; }},
        {"none of True, False and Unknown", [](auto& all) { all[1].status = "Sometimes"; }},
        {"names no condition", [](auto& all) { all[1].condition.clear(); }},
        {"toleration is less than nothing", [](auto& all) { all[1].toleration = seconds{-1}; }},
        {"grace period is less than nothing", [](auto& all) { all[1].termination_grace = seconds{-1}; }},
        {"priority 101 is not within", [](auto& all) { all[1].priority = 101; }},
    };
    EXPECT_TRUE(RepairPolicies::make(kPolicies));
    EXPECT_TRUE(RepairPolicies::make({})->empty());
    for (const auto& c : cases) {
        std::vector<RepairPolicy> all = kPolicies;
        c.edit(all);
        const auto made = RepairPolicies::make(all);
        ASSERT_FALSE(made) << c.says;
        EXPECT_THAT(made.error().message, HasSubstr(c.says));
    }
}

}  // namespace
}  // namespace joiner::rules
