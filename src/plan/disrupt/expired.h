// Expiry: nodes older than their claim's expireAfter. They pass the gate and are replaced first, like drifted
// ones; but no pod, PodDisruptionBudget or annotation keeps such a node, only its drain heeds them. Pure.
// Source: Karpenter's documented expiry, which knows no gate.
#pragma once

#include <vector>

#include "base/time.h"
#include "plan/disrupt/candidates.h"

namespace joiner::plan {

// A node whose pods have no other place waits so long for one, and then goes without.
inline constexpr Duration kExpiryPatience = std::chrono::minutes{10};

struct Expired {
    Candidate candidate;
    // Nothing is to come up first: it has waited long enough, or its pool is static and replaces nodes
    // itself.
    bool goes_at_once = false;
};

// The oldest first. Claims without a NodePool, and those whose node never came up, are plan/lifecycle's.
std::vector<Expired> find_expired(const DisruptionFacts& facts, WallTime now);

}  // namespace joiner::plan
