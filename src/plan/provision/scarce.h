// Planning where the limits of NodePools do not hold all pods: as many as they do hold, the more urgent
// first, and that at the lowest price. Pure.
#pragma once

#include "plan/provision/planner.h"

namespace joiner::plan {

// Whether pods wait that the limits may be keeping out.
bool may_be_kept_out_by_limits(const model::Snapshot& snapshot, const Plan& plan);

// Whatever of `known`, the plan so far, and of those found here is best. `is_late` is asked before each
// round.
Planned plan_scarce(const model::Snapshot& snapshot, const ProvisionOptions& options, Planned known);

}  // namespace joiner::plan
