// Second pass: machines for the pods that no room holds, by price. Each round takes the pods hardest to
// place, tries the machines that could be cheapest for what they hold, fills each with what is worth most on
// it, and opens the best. What a pod is worth comes from the resource bound of all that is left.
#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/provision/problem.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// A machine chosen, before its pods have names.
struct Machine {
    model::PoolIndex pool = 0;
    std::uint32_t option = 0;  // Of the pool's types; the cheapest that holds `take`.
    OfferingMask offerings = 0;
    OpenId open = 0;
    bool min_values_relaxed = false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> take;  // Class and count.
    std::vector<std::pair<std::uint32_t, std::uint32_t>>
        alternative;          // Class and the alternative it stands by.
    std::uint32_t times = 1;  // So many machines alike.
};

struct FillResult {
    std::vector<Machine> machines;
    std::vector<std::string> reasons;  // By class, for what is left over.
};

// `left` counts the pods of each class; what stays above zero could not be placed. `order`: hardest first.
FillResult fill_machines(const Problem& problem, const ProvisionOptions& options,
                         const std::vector<std::uint32_t>& order, std::vector<std::uint32_t>& left);

// Every machine type of the pool that could stand in for `machine`, cheapest first, as (option, offering
// mask).
std::vector<std::pair<std::uint32_t, OfferingMask>> stand_ins(const Problem& problem, const Machine& machine);

// All purchasable columns, for the bound.
ResourceColumns make_columns(const Problem& problem);

}  // namespace joiner::plan
