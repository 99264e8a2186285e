// Whether a node is what its claim was promised. Pure. Source: Karpenter's documented consistency check.
#pragma once

#include <string>

#include "api/core.h"
#include "api/karpenter.h"

namespace joiner::plan {

// A node with less than this of what was promised is not what was bought.
inline constexpr double kLeastOfPromised = 0.9;

// What the node lacks of the resources that the claim asked for, one sentence; empty when it lacks none.
// REQUIRES: the claim is initialised.
std::string inconsistency(const api::NodeClaim& claim, const api::Node& node);

}  // namespace joiner::plan
