// What becomes of a machine that is chosen: which of its offerings its claim asks for first, and which labels
// its node has then. Pure.
#pragma once

#include "plan/provision/machine.h"

namespace joiner::plan {

// What may stand in for the machine, itself first or what is cheaper still. Under limits none counts for
// more.
StandIns may_stand_in(const Problem& problem, const Machine& machine);

// The machine as it is bought: its cheapest offering, and a term by name for each of its pods. `others` is
// what may stand in for it, itself first.
Machine as_bought(const Problem& problem, Machine machine, StandIns& others);

// Of the claim for a machine as it is bought: the pool's, and what the pods ask for.
rules::Requirements claim_requirements(const Problem& problem, const Machine& bought);

// Labels of its node, each with one value, were it bought as it is now.
rules::Requirements labels_of_node(const Problem& problem, const Machine& machine);

}  // namespace joiner::plan
