// What a NodePool's annotations say about the pace of disruption by choice: a pause, and how many pods may be
// moved in an hour. Pure; any thread. Ours; Karpenter has no such annotations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"

namespace joiner::rules {

// Why nothing of the pool is disrupted by choice now, in one sentence; empty when nothing says so. A value
// that cannot be read pauses.
std::string pause_reason(const api::NodePool& pool, WallTime now);

// nullopt: no limit. Errors: not a whole number.
Result<std::optional<std::int64_t>> pod_moves_per_hour(const api::NodePool& pool);

}  // namespace joiner::rules
