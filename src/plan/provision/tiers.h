// Where a class may go, in the order it is tried: by one alternative of its constraints, the pools of one
// weight that match it. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/problem.h"

namespace joiner::plan {

struct Tier {
    std::uint32_t alternative = 0;
    std::vector<model::PoolIndex> pools;
};
using Tiers = std::vector<Tier>;

// By class; empty where no machine holds even one pod. Preferred alternatives come before weight: a
// preference that can be met is met on any pool.
std::vector<Tiers> make_tiers(const Problem& problem);

// Whether every resource that is asked for is there.
bool holds(const double* room, const std::vector<double>& request);

}  // namespace joiner::plan
