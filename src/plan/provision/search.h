// For a handful of pods: tries orders and places until all of them stand, or none of the ways to place them
// is cheaper, or the budget is gone. First fit decides pod by pod and cannot take a choice back; this can.
#pragma once

#include <functional>
#include <vector>

#include "plan/provision/trial.h"

namespace joiner::plan {

inline constexpr std::size_t kMaxSearchedPods = 8;

// Calls `accept` for each state with more pods placed than in the best one so far, starting from `placed`; a
// state counts when it returns true. The trial is left as it was.
void search(Trial& trial, const std::vector<model::PodIndex>& pods, const std::vector<std::uint32_t>& kind_of,
            std::size_t placed, int budget,
            const std::function<bool(const std::vector<model::PodIndex>& left)>& accept);

// The same for `pods` that all have a place, at machines of the price `known`: calls `accept` for each
// cheaper way to place them all that keeps to the rules, to preferences and to the weight of pools as first
// fit does.
void search_cheaper(Trial& trial, const std::vector<model::PodIndex>& pods,
                    const std::vector<std::uint32_t>& kind_of, rules::Money known, int budget,
                    const std::function<bool()>& accept);

}  // namespace joiner::plan
