// Reserved capacity: offerings of which there are only so many. A pool that may use them is offered to the
// planner in parts, one a reservation, each with a limit on nodes, so that no plan takes more than there is.
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/karpenter.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "model/snapshot.h"

namespace joiner::model {

// Nodes by type and zone. Of several reservations for one type in one zone each is charged with all of them.
using ReservationsUsed = std::map<std::pair<std::string, std::string>, std::int64_t>;

// The label of the claim, or what its requirements leave no choice about; empty where they leave one.
std::string settled_value(const api::NodeClaim& claim, std::string_view key);
// What the claim holds or will hold of a reservation; counts nothing for others.
void note_reserved(const api::NodeClaim& claim, ReservationsUsed& used);
// What all claims hold, but for those of `gives_back` (nullptr: none).
ReservationsUsed reservations_used(const Cluster& cluster, const ClaimNames* gives_back);
// REQUIRES: the offering is reserved.
std::int64_t reservation_left(const rules::InstanceType& type, const rules::Offering& offering,
                              const ReservationsUsed& used);
// REQUIRES: the offering is reserved.
bool holds_reservation(const api::NodeClaim& claim, const rules::InstanceType& type,
                       const rules::Offering& offering);

// The planning question if what these claims hold of reservations were free.
Snapshot make_snapshot_once_given_back(const Cluster& cluster, const SnapshotInputs& inputs,
                                       const ClaimNames& gives_back);

// The pool without its reserved offerings, and a part for each of those that has something left. Under limits
// each part gets its share of them beforehand: no sum of parts passes them.
std::vector<PoolView> split_by_reservation(PoolView view, const ReservationsUsed& used);

}  // namespace joiner::model
