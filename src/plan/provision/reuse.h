// First pass: pods go where there is room already, as the scheduler would allow, so that nothing is bought
// for them.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "plan/provision/problem.h"

namespace joiner::plan {

// Places what it can and takes the pods out of `left` (pods still to place, by class, oldest first). Classes
// are served in `order`.
void reuse_rooms(const Problem& problem, const std::vector<std::uint32_t>& order,
                 std::vector<std::vector<model::PodIndex>>& left, std::vector<Placement>& placements);

}  // namespace joiner::plan
