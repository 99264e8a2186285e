// Emptiness: nodes that hold nothing worth keeping go, within their pools' budgets, a few seconds after their
// claims have said so. Pure.
// Source: Karpenter's documented emptiness.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {

struct EmptyPlan {
    std::vector<std::string> claims;        // To be deleted.
    std::vector<std::string> unsaid;        // Due, but their claims do not say Consolidatable yet.
    std::vector<Blocked> kept;              // Hold nothing worth keeping, and stay for now.
    bool is_any_at_hand = false;            // Some are, or will be within seconds.
    std::optional<WallTime> look_again_at;  // When a node now empty will have been so for long enough.
};

EmptyPlan plan_empty(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now);

}  // namespace joiner::plan
