// Preferences that have a price. Pure.
#pragma once

#include <functional>

#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// The cheapest of the plans that keep all preferences, those that do not set the number of nodes, or none,
// where each preference that is not even looked for costs what it is worth. `plan` makes one of them, without
// regard to worth. REQUIRES: options.preference_worth.
Plan plan_priced(const model::Snapshot& snapshot, const ProvisionOptions& options,
                 const std::function<Plan(const model::Snapshot&, const ProvisionOptions&)>& plan);

}  // namespace joiner::plan
