// Commitments as prices: what the cluster's own machines use of reserved instances and Savings Plans, and the
// parts of a pool that what is left of them makes nearly free. Pure; loop thread where it reads the Cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/cluster.h"
#include "model/snapshot.h"
#include "rules/commitment.h"
#include "rules/overlay.h"

namespace joiner::model {

// What a machine of a part counts of its commitment: a resource that only limits speak of.
inline constexpr std::string_view kCommitmentResource = "joiner.sh/commitment";
// A machine that is paid for already costs its price divided by this, so that the smaller is bought.
inline constexpr std::int64_t kPaidForAlready = 10'000;

// Machines on demand of the cluster, with or without a claim.
struct OnDemandMachines {
    std::vector<std::string> owners;  // The claim, or the node that has none.
    std::vector<rules::PaidMachine> machines;
    std::vector<rules::InstanceTypes> held;  // What the machines point into.
};

// By name of the owner. Without those that are being deleted and those of `without` (nullptr: none). A claim
// that may still become several types counts as the cheapest of them, and not at all while it may be spot.
// What is in no catalogue of a pool counts for nothing.
OnDemandMachines on_demand_machines(const Cluster& cluster,
                                    const std::function<rules::InstanceTypes(const api::NodePool&)>& types,
                                    const std::set<std::string, std::less<>>* without);

// The pool, and a part for each commitment that has something left for it: its types at next to nothing, as
// many as are covered whole. `left`: of each commitment. Under limits a part gets the share of them that it
// could use at most: no sum of parts passes them.
std::vector<PoolView> split_by_commitment(PoolView view, const rules::Commitments& commitments,
                                          const std::vector<std::int64_t>& left);

// What the machine of a part costs an hour where nothing pays for it; 0 where its type is not known.
rules::Money list_price(const PoolView& part, std::string_view type, std::string_view zone);
// The most that what is left of all commitments can save, an hour.
rules::Money most_saved(const std::vector<PoolView>& pools);

}  // namespace joiner::model
