// A hedge: a NodeClaim that is made beside another one whose launch is slow to be answered, for the same
// pods. One of the two goes as soon as the other has its machine. Which claims those are is written on them,
// so that whoever comes after a restart goes on with it. Pure; loop thread.
#pragma once

#include <string_view>

#include "model/cluster.h"

namespace joiner::model {

// On the hedge: the name of the claim beside which it was made.
inline constexpr std::string_view kHedgeOfAnnotation = "joiner.sh/hedge-of";
// On that claim: the name of its hedge, from before there is one. It has no second one.
inline constexpr std::string_view kHedgedByAnnotation = "joiner.sh/hedged-by";

// The claim that this one is a hedge of, as long as that one is there and does not go; nullptr: none. A claim
// that has lost it is one like any other.
const ClaimState* hedged_by(const Cluster& cluster, const api::NodeClaim& claim);

// Not decided yet, or lost: no pod is planned for it.
inline bool stands_by(const Cluster& cluster, const api::NodeClaim& claim) {
    return hedged_by(cluster, claim) != nullptr;
}

}  // namespace joiner::model
