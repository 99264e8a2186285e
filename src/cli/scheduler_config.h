// --scheduler-config: what kube-scheduler's own configuration says about pods without spread constraints.
// YAML or JSON; unknown fields are refused, as Karpenter does.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"
#include "base/result.h"

namespace joiner::cli {

// podTopologySpread.defaultConstraints. Empty text: none. Errors name the field.
Result<std::vector<api::TopologySpreadConstraint>> parse_scheduler_config(const std::string& text);

// The same for planning: without `with_preferences` only what must hold.
Result<std::vector<api::TopologySpreadConstraint>> default_spread(const std::string& text,
                                                                  bool with_preferences);

}  // namespace joiner::cli
