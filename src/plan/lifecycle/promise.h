// Where a node is not what its claim promised, or has not come up yet, so that pods it was bought for cannot
// go there: in words that say what to mend. Pure.
#pragma once

#include <string>

#include "model/cluster.h"

namespace joiner::plan {

// As kubectl writes it: key=value:effect.
std::string text_of(const api::Taint& taint);

// One sentence; empty where the node is as promised, as far as the pod is concerned.
std::string broken_promise(const model::PodState& pod, const api::NodeClaim& claim,
                           const model::NodeState& node);

}  // namespace joiner::plan
