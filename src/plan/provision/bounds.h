// What no plan for the same pods can undercut. Several relaxations, each valid by itself; the best counts.
// Pure.
#pragma once

#include <vector>

#include "plan/provision/problem.h"
#include "plan/provision/resource_bound.h"
#include "rules/money.h"

namespace joiner::plan {

// Everything that some pod of the classes with a count in `placed` may be bought, at its cheapest: one column
// a pool and type.
ResourceColumns make_columns(const Problem& problem, const std::vector<std::uint32_t>& placed);

// For the pods counted in `placed` (by class), less all the room there was before.
rules::Money lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed);

}  // namespace joiner::plan
