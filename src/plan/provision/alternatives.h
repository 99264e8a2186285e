// Required node affinity terms are alternatives of one another, and a plan takes whichever is cheapest on the
// machine it buys. So where a pod has several, one more alternative stands before them for any of them; which
// it is gets settled with the offering, when a machine becomes a claim. Pure.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "plan/provision/machine.h"
#include "plan/provision/problem.h"

namespace joiner::plan {

// `group` has its alternatives and matches, the preferred ones first. On each pool "any" are those that ask
// for the same of the labels it leaves open as the first that is possible there: others must be told apart at
// once.
void add_any_of_required(Group& group);

// Some class stands on the machine by any of its terms.
bool has_unnamed_alternatives(const Problem& problem, const Machine& machine);
// Machine::alternative with a term for each of those that the machine's cheapest offering meets.
std::vector<std::pair<std::uint32_t, std::uint32_t>> named_alternatives(const Problem& problem,
                                                                        const Machine& machine);

}  // namespace joiner::plan
