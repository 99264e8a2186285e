// Emptiness: nodes that hold nothing worth keeping go, within their pools' budgets. Pure.
// Source: Karpenter's documented emptiness and budgets.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"

namespace joiner::plan {

struct EmptyFacts {
    const model::Cluster& cluster;
    // Claims that pods are planned for are not empty.
    const model::PlannedPods& planned;
    // When a pod last came to or left the claim's node, by claim name, where that is known better than the
    // status says.
    const std::map<std::string, WallTime, std::less<>>& last_pod_event;
};

struct EmptyPlan {
    std::vector<std::string> claims;         // To be deleted.
    std::optional<WallTime> look_again_at;   // When a node now empty will have been so for long enough.
    std::vector<std::string> blocked_pools;  // Their budgets allow nothing now.
};

EmptyPlan plan_empty(const EmptyFacts& facts, WallTime now);

// Since when the claim has been idle for consolidateAfter; nullopt when it never counts as idle.
std::optional<WallTime> consolidatable_at(const api::NodeClaim& claim, const api::NodePool& pool,
                                          WallTime last_pod_event);

}  // namespace joiner::plan
