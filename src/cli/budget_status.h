// What the disruption controller would say of a PodDisruptionBudget that is written without its status.
#pragma once

#include <cstdint>

#include "model/cluster.h"

namespace joiner::cli {

// How many more of the budget's pods may be evicted. Pods that have a node count as healthy.
std::int64_t disruptions_allowed(const api::PodDisruptionBudget& budget, const model::Cluster& cluster);

}  // namespace joiner::cli
