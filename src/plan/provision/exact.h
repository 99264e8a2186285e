// The cheapest draft there is, for markets of few pods. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "plan/provision/draft.h"

namespace joiner::plan {

// Nothing where there are too many pods for `effort` (FewPods' looks), or where more than room and kinds says
// who may stand beside whom: bins, caps, crowds, open requirements, limits.
std::optional<Draft> cheapest_draft(const Market& market, std::uint64_t effort);

}  // namespace joiner::plan
