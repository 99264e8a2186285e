// The safe pass: each pod in turn to a place that takes it, and a new machine where none does. Slower and
// nearly blind to price, but it knows every rule, so it takes what fits no mould, what the fill left over,
// and, for a plan to fall back on, everything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plan/provision/trial.h"

namespace joiner::plan {

// Where a pod goes that no room holds: to the first machine that takes it, or to the one that costs the least
// more for it, be it new.
enum class FitBy { kOrder, kPrice };

// Places what it can of `pods`, in their order; returns the others, each with the reason. `kind_of`: by pod.
std::vector<Wait> first_fit(Trial& trial, const std::vector<model::PodIndex>& pods,
                            const std::vector<std::uint32_t>& kind_of, FitBy by);

// By order and by price, where that is not too much to do; the one that keeps fewer waiting, the most urgent
// first, and then costs less.
std::vector<Wait> best_fit(Trial& trial, const std::vector<model::PodIndex>& pods,
                           const std::vector<std::uint32_t>& kind_of);

}  // namespace joiner::plan
