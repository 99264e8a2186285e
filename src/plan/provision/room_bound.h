// The lower bound where there is room: sums of free room promise more than it can hold, because large pods
// fit into none of it and small ones run out. What a unit of each resource is worth on machines (none costs
// less than what it holds is worth) is the ceiling of an auction (room_auction.h); any worth will do, and the
// best of a few counts. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/resource_bound.h"

namespace joiner::plan {

struct RoomBoundQuestion {
    ResourceColumns columns;       // What may be bought.
    std::vector<double> requests;  // Pods alike x dimension.
    std::vector<double> counts;
    std::vector<double> rooms;  // Room x dimension, none below zero.
};

// `effort` bounds the looks at a pod in a room.
double room_bound(const RoomBoundQuestion& question, std::uint64_t effort);

}  // namespace joiner::plan
