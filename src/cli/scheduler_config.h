// --scheduler-config: what kube-scheduler's own configuration says about pods without spread constraints.
// YAML or JSON; unknown fields are refused, as Karpenter does. It is checked only: plans do not follow it
// yet.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"
#include "base/result.h"

namespace joiner::cli {

// podTopologySpread.defaultConstraints. Empty text: none. Errors name the field.
Result<std::vector<api::TopologySpreadConstraint>> parse_scheduler_config(const std::string& text);

Status check_scheduler_config(const std::string& text);

}  // namespace joiner::cli
