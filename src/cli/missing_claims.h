// Nodes of a NodePool that are written without their NodeClaims: each gets one, so that the controller's own
// rules on disruption can be asked about it.
#pragma once

#include "model/cluster.h"

namespace joiner::cli {

// The claim is named as its node, and has nothing that the node does not show.
void add_missing_claims(model::Cluster& cluster);

}  // namespace joiner::cli
