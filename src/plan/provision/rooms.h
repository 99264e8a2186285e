// Which pods room that there is may take, whatever stands there. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/problem.h"

namespace joiner::plan {

// Its taints are tolerated, and its labels are what one of the pod's alternatives asks for.
bool admits(const model::RoomView& room, const rules::PodShape& shape);

// Indexes of the rooms that hold one pod at least of the classes with a count in `placed`. Where it would
// take too many looks to tell, a room is taken for one.
std::vector<model::RoomIndex> usable_rooms(const Problem& problem, const std::vector<std::uint32_t>& placed);

}  // namespace joiner::plan
