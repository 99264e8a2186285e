#include "cloud/ec2/health/repair_policies.h"

#include <gtest/gtest.h>

#include "rules/repair_policies.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

constexpr WallTime kSince{std::chrono::hours{400'000}};

api::Node node_with(const std::string& condition, const std::string& status, const std::string& reason) {
    api::Node out;
    out.conditions = {{condition, status, reason, "", kSince, 0}};
    return out;
}

TEST(RepairPolicies, s4_8_faults_have_karpenters_tolerations_graces_and_actions) {
    const auto policies = rules::RepairPolicies::make(repair_policies({.may_reboot = true}));
    ASSERT_TRUE(policies) << policies.error().message;
    const struct {
        const char* condition;
        const char* status;
        const char* reason;
        Duration toleration;
        Duration grace;
        rules::RepairAction action;
    } kCases[] = {
        {"Ready", "False", "KubeletNotReady", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
        {"Ready", "Unknown", "NodeStatusUnknown", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
        {"AcceleratedHardwareReady", "False", "NvidiaXID46Error", minutes{10}, minutes{5},
         rules::RepairAction::kReboot},
        {"AcceleratedHardwareReady", "False", "NvidiaXID79Error", minutes{10}, minutes{5},
         rules::RepairAction::kReplace},
        {"AcceleratedHardwareReady", "False", "NvidiaXID13Error", minutes{30}, minutes{10},
         rules::RepairAction::kReplace},
        {"StorageReady", "False", "DiskGone", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
        {"NetworkingReady", "False", "x", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
        {"KernelReady", "False", "x", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
        {"ContainerRuntimeReady", "False", "x", minutes{30}, minutes{10}, rules::RepairAction::kReplace},
    };
    for (const auto& each : kCases) {
        SCOPED_TRACE(each.reason);
        const api::Node node = node_with(each.condition, each.status, each.reason);
        EXPECT_FALSE(policies->judge(node, kNoTime, kSince + each.toleration - minutes{1}));
        const auto verdict = policies->judge(node, kNoTime, kSince + each.toleration + minutes{1});
        ASSERT_TRUE(verdict);
        EXPECT_EQ(verdict->termination_grace, each.grace);
        EXPECT_EQ(verdict->action, each.action);
    }
    for (const char* status : {"Unknown", "True"})
        EXPECT_FALSE(policies->call_sick(node_with("StorageReady", status, "x"))) << status;
}

TEST(RepairPolicies, s4_8_nothing_is_rebooted_without_the_gate) {
    const auto policies = rules::RepairPolicies::make(repair_policies({}));
    ASSERT_TRUE(policies);
    EXPECT_FALSE(policies->reboot());
}

TEST(RepairPolicies, s4_8_the_legacy_ones_know_no_reasons_and_no_grace) {
    const auto policies = repair_policies({.is_legacy = true, .may_reboot = true});
    EXPECT_EQ(policies.size(), 7u);
    for (const rules::RepairPolicy& each : policies) {
        EXPECT_EQ(each.reason_regex, "");
        EXPECT_FALSE(each.termination_grace);
        EXPECT_EQ(each.action, rules::RepairAction::kReplace);
        EXPECT_EQ(each.toleration, each.condition == "AcceleratedHardwareReady" ? minutes{10} : minutes{30});
    }
}

}  // namespace
}  // namespace joiner::cloud::ec2
