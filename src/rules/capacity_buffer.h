// How many pods a CapacityBuffer keeps room for. Pure; any thread.
// Source: the documented meaning of replicas, percentage and limits as Karpenter computes it.
#pragma once

#include <cstdint>

#include "api/karpenter.h"
#include "rules/resources.h"

namespace joiner::rules {

// More than this no buffer stands for, whatever it asks.
inline constexpr std::int32_t kMostHeadroomPods = 10'000;

// The larger of `replicas` and the percentage (of `scalable_replicas`, rounded up, one at least where both
// are positive), and no more than `limits` hold; what `limits` hold where neither is given; 0 where nothing
// is. `requests` are one pod's.
std::int32_t headroom_replicas(const api::CapacityBuffer& buffer, std::int64_t scalable_replicas,
                               const Resources& requests);

}  // namespace joiner::rules
