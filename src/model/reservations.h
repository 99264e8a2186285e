// Reserved capacity: offerings of which there are only so many. A pool that may use them is offered to the
// planner in parts, one a reservation, each with a limit on nodes, so that no plan takes more than there is.
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/karpenter.h"
#include "model/snapshot.h"

namespace joiner::model {

// Nodes by type and zone. Of several reservations for one type in one zone each is charged with all of them.
using ReservationsUsed = std::map<std::pair<std::string, std::string>, std::int64_t>;

// What the claim holds or will hold of a reservation; counts nothing for others.
void note_reserved(const api::NodeClaim& claim, ReservationsUsed& used);

// The pool without its reserved offerings, and a part for each of those that has something left. Under limits
// each part gets its share of them beforehand: no sum of parts passes them.
std::vector<PoolView> split_by_reservation(PoolView view, const ReservationsUsed& used);

}  // namespace joiner::model
