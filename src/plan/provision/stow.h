// Room that there is, filled by worth: what pods would cost on machines to buy decides who goes there, so
// that what is left over is cheap. Pure.
#pragma once

#include <functional>
#include <vector>

#include "plan/provision/draft.h"
#include "plan/provision/room_bound.h"
#include "plan/provision/trial.h"

namespace joiner::plan {

// Rooms that hold some of the pods of free classes, for a Market.
std::vector<Bin> find_bins(Trial& trial, const std::vector<std::uint32_t>& left);

// One node for every bin, empty ones too. `effort`: looks at a lot, at most.
std::vector<DraftNode> stow(const Market& market, std::uint64_t effort);

// The same by a program over all bins and all that may be bought, which uses far more of them and takes
// longer; hasty once it is late, and nothing where there are too many for the effort. `is_late` may be empty.
struct CloselyStowed {
    std::vector<DraftNode> nodes;
    KnownPrices prices;  // By which they are filled.
};
CloselyStowed stow_closely(const Market& market, std::uint64_t effort, const std::function<bool()>& is_late);

}  // namespace joiner::plan
