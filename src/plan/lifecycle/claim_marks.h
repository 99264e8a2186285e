// What an initialised claim should say about itself for disruption's sake: the hash it was made from, whether
// it has drifted, whether it has been idle for long enough, when a pod last came or left. Pure. Source:
// Karpenter's documented NodeClaim conditions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"
#include "rules/instance_type.h"

namespace joiner::plan {

// What pods do is written down once they have done nothing for so long, in one write for them all; while
// nodes come up there is more urgent work. A node that has become empty says at once that it is idle.
inline constexpr Duration kPodEventGap = std::chrono::seconds{10};
// Of a node that is never quiet, so often.
inline constexpr Duration kLongestPodEventGap = std::chrono::minutes{1};

struct ClaimMarkFacts {
    const api::NodeClaim& claim;
    const api::NodePool& pool;
    std::shared_ptr<const std::vector<rules::InstanceType>> types;  // nullptr: not known.
    std::optional<std::string> provider_drift;  // A condition reason, or empty; nullopt: not known.
    WallTime last_pod_event = kNoTime;          // As we saw it ourselves.
    bool is_empty = false;                      // plan::is_empty() of its node.
};

// What differs from what the claim says now.
struct ClaimMarks {
    api::StringMap annotations;             // To be set.
    std::optional<std::string> drift;       // The Drifted condition's reason; empty: the condition is to go.
    std::optional<bool> is_consolidatable;  // The Consolidatable condition is to be set, or to go.
    std::optional<WallTime> last_pod_event;

    bool empty() const { return annotations.empty() && !drift && !is_consolidatable && !last_pod_event; }
};

// REQUIRES: the claim is initialised and not on its way out.
ClaimMarks wanted_claim_marks(const ClaimMarkFacts& facts, WallTime now);

}  // namespace joiner::plan
