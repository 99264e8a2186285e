// Required node affinity terms are alternatives of one another, and a plan takes whichever is cheapest on the
// machine it buys. So where a pod has several, one more alternative stands before them for any of them; which
// it is gets settled with the offering, when a machine becomes a claim. Pure.
#pragma once

#include <cstddef>

#include "plan/provision/machine.h"
#include "plan/provision/problem.h"

namespace joiner::plan {

// `group` has its alternatives and matches, the preferred ones first. On each pool "any" are those that ask
// for the same of the labels it leaves open as the first that is possible there: others must be told apart at
// once.
void add_any_of_required(Group& group);

// Every alternative of the machine named, for its cheapest offering, which stays what it is.
Machine with_named_alternatives(const Problem& problem, Machine machine);

}  // namespace joiner::plan
