// A start for the search: the machines that the resource program would buy, as many whole ones as that is,
// filled side by side. Large pods come first, each to the machine whose free room has the same proportions,
// so that no machine is left with a resource that nobody asks for any more; filling one machine after the
// other ends with such. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/draft.h"

namespace joiner::plan {

// Beginnings of drafts: `stowed`, then what was bought. Pods that found no place there, that stood on a
// machine worth less than its price, or that have caps, crowds or open requirements are for another to place.
// There are several because the program does not know that a pod is not cut: each leaves out smaller machines
// than the one before. `effort`: looks at a machine, at most.
std::vector<Draft> fill_fleets(const Market& market, const std::vector<DraftNode>& stowed,
                               std::uint64_t effort);

}  // namespace joiner::plan
