// What a pool that keeps a ratio of on-demand to spot has of each, and the two parts it is offered to the
// planner in. Pure; loop thread where it reads the Cluster.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "model/snapshot.h"
#include "rules/capacity_ratio.h"
#include "rules/overlay.h"

namespace joiner::model {

using CapacityMixes = std::map<std::string, rules::CapacityMix, std::less<>>;  // By pool.

struct MixFacts {
    const Cluster& cluster;
    std::function<rules::InstanceTypes(const api::NodePool&)> types;
    // Claims that count for nothing; nullptr: none.
    const ClaimNames* without = nullptr;
    // Claims that may come or go: they count as spot, and not as on demand. nullptr: none.
    const ClaimNames* in_doubt = nullptr;
};

// Of our pools that keep a ratio. Nodes that are going count no more; claims in flight count already, on
// demand with the least that they may become, as spot with the most.
CapacityMixes capacity_mixes(const MixFacts& facts);

// Thousandths of a core that the claim's node has, or the claim says; 0: neither does. `node`: nullptr where
// there is none. Of files for a simulation some say only what pods may use.
std::int64_t capacity_cores(const api::NodeClaim* claim, const api::Node* node);
// By its node, where that says it; a claim that may still be either counts as spot.
bool counts_as_spot(const Cluster& cluster, const api::NodeClaim& claim);

// Adds, or takes away, what the node has.
void count_capacity(rules::CapacityMix& mix, bool is_spot, std::int64_t milli_cores);

// The pool on demand, and its spot part. Under limits the parts share them as the ratio has it: no sum of the
// two passes them.
std::vector<PoolView> split_by_ratio(PoolView view, const rules::CapacityMix& mix);

}  // namespace joiner::model
