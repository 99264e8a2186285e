// Drift in waves: a change of a NodePool or of its images reaches one node first (the canary), then as many
// at a time as have taken it well. What is known of the change is read off the cluster, so nothing is lost
// with the process. Pure; loop thread, because it reads the Cluster. The budgets are another matter and hold
// besides (gate.h), and so does the breaker. Made anew for each look.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "api/karpenter.h"
#include "model/cluster.h"

namespace joiner::plan {

// Nodes by NodePool.
using PoolCounts = std::map<std::string, std::int64_t, std::less<>>;

class Rollout {
  public:
    // `moving`: drifted nodes that are being replaced, or whose pods have not yet come up where they went.
    Rollout(const model::Cluster& cluster, PoolCounts moving)
        : cluster_(cluster), moving_(std::move(moving)) {}

    // How many of the pool's nodes may be moving at once for `reason`, the Drifted condition's: one, or as
    // many as were made since the last node drifted for it and are well: initialised, Ready, and so is every
    // pod on them.
    std::int64_t wave(const api::NodePool& pool, const std::string& reason) const;
    // Counts the drifted claim's node as moving, if the wave has room for one more. A claim that is not
    // drifted is not admitted.
    bool admit(const api::NodeClaim& claim);

  private:
    bool has_taken_it_well(const model::ClaimState& claim, const api::NodePool& pool, WallTime since) const;

    const model::Cluster& cluster_;
    PoolCounts moving_;
    std::map<std::pair<std::string, std::string>, std::int64_t> waves_;  // By pool and reason; a memo.
};

}  // namespace joiner::plan
