// Why pods of a class fit nowhere, in words for whoever reads the event. Pure.
#pragma once

#include <string>
#include <vector>

#include "plan/provision/problem.h"

namespace joiner::plan {

// One clause a pool: which rule, or how far the nearest type was. `remaining`: what each pool's limits leave.
std::string why_not(const Problem& problem, const std::vector<std::vector<double>>& remaining,
                    std::uint32_t pod_class);

// Whether so many machines of the option keep within what the pool's limits leave.
bool is_within_limits(const PoolOptions& pool, const std::vector<double>& remaining, std::size_t option,
                      double times);

}  // namespace joiner::plan
