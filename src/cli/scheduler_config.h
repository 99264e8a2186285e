// --scheduler-config: what kube-scheduler's own configuration says about pods without spread constraints, so
// that plans follow it. YAML or JSON; unknown fields are refused, as Karpenter does.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"
#include "base/result.h"

namespace joiner::cli {

// podTopologySpread.defaultConstraints. Empty text: none. Errors name the field.
Result<std::vector<api::TopologySpreadConstraint>> parse_scheduler_config(const std::string& text);

}  // namespace joiner::cli
