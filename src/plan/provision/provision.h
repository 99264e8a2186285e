// Provisioning: which pods go onto room there is, which machines are bought for the others. Pure. The passes
// are reuse, price-aware fill, widen and bound, in this order; each is a function in its own file.
#pragma once

#include "plan/plan.h"

namespace joiner::plan {

enum class MinValuesPolicy { kStrict, kBestEffort };

struct ProvisionOptions {
    MinValuesPolicy min_values_policy = MinValuesPolicy::kStrict;
    std::size_t max_types = 100;  // Alternatives a launch lists at most.
};

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options);

}  // namespace joiner::plan
