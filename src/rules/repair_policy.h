// When a cloud calls a node sick, and what is to be done about it: a condition of the node that has had a
// status, and says a reason, for too long. Value type. Source: Karpenter's documented repair policies.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"

namespace joiner::rules {

// In the order of how much they disrupt.
enum class RepairAction { kReboot, kReplace };

struct RepairPolicy {
    std::string condition;  // Of the Node: "Ready".
    std::string status;     // "True", "False" or "Unknown".
    // What the condition's reason must match somewhere. Exactly one policy of a set has none: it is for every
    // reason that no policy of its condition and status matches.
    std::string reason_regex = {};
    Duration toleration{0};
    // How long pods may hold the repair up; nullopt: as long as the claim lets them, and 0 not at all.
    std::optional<Duration> termination_grace = {};
    int priority = 0;  // 0 to 100.
    RepairAction action = RepairAction::kReplace;
};

}  // namespace joiner::rules
