// The lower bound where there is room: sums of free room promise more than it can hold, because large pods
// fit into none of it and small ones run out. Pure.
//
// Let a unit of each resource be worth l on machines (no machine costs less than what it holds is worth) and
// m_g in a group g of rooms. Whatever the pods do, they cost at least
//
//     sum over pods of min(l . request, least m_g . request of the groups that hold it)  -  sum of m_g .
//     free_g
//
// for any m_g >= 0. With m_g = l this is the resource program; other m_g are sought that make it larger.
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

// `effort` bounds the looks at a pod and a group.
double room_bound(const RoomBoundQuestion& question, std::uint64_t effort);

}  // namespace joiner::plan
