// What of Karpenter's alpha is switched on: its gate names and defaults, in one place. Value type; any
// thread. Source: Karpenter's documented --feature-gates.
#pragma once

#include <string_view>

#include "base/result.h"

namespace joiner::control {

struct FeatureGates {
    bool node_repair = false;
    bool reserved_capacity = true;
    bool spot_to_spot_consolidation = false;
    bool node_overlay = false;
    bool static_capacity = false;
    bool capacity_buffer = false;
    bool terminate_first_drift = false;
    bool terminate_first_repair = false;
    bool pod_deletion_cost_management = false;

    friend bool operator==(const FeatureGates&, const FeatureGates&) = default;
};

// "NodeOverlay=true,NodeRepair=false". Names that are not known are passed over, as Karpenter does: a newer
// version's gates must not keep an older one from starting. Errors: an entry that is not name=true or
// name=false.
Result<FeatureGates> parse_feature_gates(std::string_view text);

}  // namespace joiner::control
