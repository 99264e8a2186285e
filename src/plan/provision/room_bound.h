// The lower bound where there is room: sums of free room promise more than it can hold, because large pods
// fit into none of it and small ones run out. Prices of pods tell (room_program.h); any will do, so those by
// which a plan filled its rooms are looked at first. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plan/provision/resource_bound.h"

namespace joiner::plan {

// Prices that were found before.
struct KnownPrices {
    std::vector<std::vector<double>> requests;  // Pods alike.
    std::vector<double> pods;
    std::vector<std::vector<double>> units;
};

struct RoomBoundQuestion {
    ResourceColumns columns;       // What may be bought.
    std::vector<double> requests;  // Pods alike x dimension.
    std::vector<double> counts;
    std::vector<double> rooms;  // Room x dimension, none below zero.
};

// `effort` bounds the looks at a pod in a room; where it `is_late` (may be empty), the best prices by then
// count.
double room_bound(const RoomBoundQuestion& question, const KnownPrices& known, std::uint64_t effort,
                  const std::function<bool()>& is_late = {});

}  // namespace joiner::plan
