#include "cloud/ec2/health/repair_policies.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

constexpr const char* kAccelerators = "AcceleratedHardwareReady";
// By NVIDIA's numbers: what a reset mends, and what it does not. Karpenter's have no end either, so that
// XID480 is taken for 48.
constexpr const char* kMendedByReset = "XID(46|48|54|62|63|95|109|110|136|140|143|155|156|158)";
constexpr const char* kBrokenHardware = "XID(64|74|79|119|120)";

std::vector<rules::RepairPolicy> legacy_policies() {
    std::vector<rules::RepairPolicy> out = {
        {.condition = "Ready", .status = "False", .toleration = minutes{30}},
        {.condition = "Ready", .status = "Unknown", .toleration = minutes{30}},
        {.condition = kAccelerators, .status = "False", .toleration = minutes{10}}};
    for (const char* condition : {"StorageReady", "NetworkingReady", "KernelReady", "ContainerRuntimeReady"})
        out.push_back({.condition = condition, .status = "False", .toleration = minutes{30}});
    return out;
}

}  // namespace

std::vector<rules::RepairPolicy> repair_policies(const RepairSettings& settings) {
    if (settings.is_legacy) return legacy_policies();
    const auto any_reason = [](const char* condition, const char* status) {
        return rules::RepairPolicy{.condition = condition,
                                   .status = status,
                                   .reason_regex = ".*",
                                   .toleration = minutes{30},
                                   .termination_grace = minutes{10}};
    };
    return {any_reason("Ready", "False"),
            any_reason("Ready", "Unknown"),
            {.condition = kAccelerators,
             .status = "False",
             .reason_regex = kMendedByReset,
             .toleration = minutes{10},
             .termination_grace = minutes{5},
             .action = settings.may_reboot ? rules::RepairAction::kReboot : rules::RepairAction::kReplace},
            {.condition = kAccelerators,
             .status = "False",
             .reason_regex = kBrokenHardware,
             .toleration = minutes{10},
             .termination_grace = minutes{5}},
            {.condition = kAccelerators,
             .status = "False",
             .toleration = minutes{30},
             .termination_grace = minutes{10}},
            any_reason("StorageReady", "False"),
            any_reason("NetworkingReady", "False"),
            any_reason("KernelReady", "False"),
            any_reason("ContainerRuntimeReady", "False")};
}

}  // namespace joiner::cloud::ec2
