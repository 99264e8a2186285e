// What no plan for the same pods can undercut. Several relaxations, each valid by itself; the best counts.
// Pure.
#pragma once

#include <functional>
#include <vector>

#include "plan/provision/pattern_bound.h"
#include "plan/provision/problem.h"
#include "plan/provision/resource_bound.h"
#include "plan/provision/room_bound.h"
#include "rules/money.h"

namespace joiner::plan {

// Everything that some pod of the classes with a count in `placed` may be bought, at its cheapest: one column
// a pool and type.
ResourceColumns make_columns(const Problem& problem, const std::vector<std::uint32_t>& placed);

// What the relaxations are asked: columns, and demands less all the room there was before. With caps the last
// dimension is the number of machines.
struct Question {
    ResourceColumns columns;
    std::vector<double> demand;
};
Question relax(const Problem& problem, const std::vector<std::uint32_t>& placed);

struct KnownPlan {
    rules::Money price;
    std::size_t machines = 0;
    KnownPatterns patterns = {};  // If any.
    KnownPrices prices = {};      // Likewise.
};

// For the pods counted in `placed` (by class), for whom there is this plan: what takes next to no time, and
// the best there is by the time that it `is_late` (asked often; may be empty).
rules::Money quick_lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed,
                               const KnownPlan& plan);
rules::Money lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed,
                         const KnownPlan& plan, const std::function<bool()>& is_late = {});

}  // namespace joiner::plan
