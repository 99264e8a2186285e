// Which machines of a plan stand in a lighter NodePool than their pods would have, had all been there to buy:
// the heavier pool was sold out, at its limits or not ready. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "model/snapshot.h"
#include "plan/plan.h"

namespace joiner::plan {

// By launch: the heavier pool that some pod of it would have been tried on first, or empty. Empty too where
// some pod of it belongs where it is, so that the node is needed there anyway. `at_best` are all pools that
// are bought from at all, without limits and with all that they ever sell; one whose types are not known is
// judged by those of a launch's pool of the same kind of node class.
std::vector<std::string> passed_over(const model::Snapshot& snapshot, const std::vector<Launch>& launches,
                                     std::vector<model::PoolView> at_best);

}  // namespace joiner::plan
