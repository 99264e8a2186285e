// The cheapest machines there are, for markets of few pods. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "plan/provision/draft.h"

namespace joiner::plan {

// `stowed`, and what is bought for the others. Nothing where these are too many for `effort` and the time
// (few_pods.h), or where more than room and kinds says who may stand beside whom: caps, crowds, open
// requirements, limits.
std::optional<Draft> cheapest_draft(const Market& market, const std::vector<DraftNode>& stowed,
                                    std::uint64_t effort, const std::function<bool()>& is_late);

}  // namespace joiner::plan
