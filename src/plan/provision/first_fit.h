// The safe pass: each pod in turn to the first place that takes it, and a new machine where none does. Slower
// and blind to price, but it knows every rule, so it takes what fits no mould, what the fill left over, and,
// for a plan to fall back on, everything.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plan/provision/trial.h"

namespace joiner::plan {

// Places what it can of `pods`, in their order; returns the others, each with the reason. `kind_of`: by pod.
std::vector<Wait> first_fit(Trial& trial, const std::vector<model::PodIndex>& pods,
                            const std::vector<std::uint32_t>& kind_of);

}  // namespace joiner::plan
