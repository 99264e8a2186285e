// When a node on EC2 counts as sick: by the conditions that the kubelet and EKS's node monitoring agent
// write. Pure; any thread. Source: Karpenter's documented repair policies of AWS.
#pragma once

#include <vector>

#include "rules/repair_policy.h"

namespace joiner::cloud::ec2 {

struct RepairSettings {
    bool is_legacy = false;   // The policies from before repair went by reasons.
    bool may_reboot = false;  // Some faults of GPUs go with a reboot.
};
std::vector<rules::RepairPolicy> repair_policies(const RepairSettings& settings);

}  // namespace joiner::cloud::ec2
