// Second pass: machines for the pods that no room holds, by price. Each round takes the pods hardest to
// place, tries the machines that could be cheapest for what they hold, fills each with what is worth most on
// it, and opens the best. What a pod is worth comes from the resource bound of all that is left.
#pragma once

#include <string>
#include <vector>

#include "plan/provision/machine.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {

// `left` counts the pods of each class; what stays above zero could not be placed. `order`: hardest first.
std::vector<Machine> fill_machines(const Problem& problem, const std::vector<Tiers>& tiers,
                                   const ProvisionOptions& options, const std::vector<std::uint32_t>& order,
                                   std::vector<std::uint32_t>& left);

}  // namespace joiner::plan
