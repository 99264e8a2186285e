// Nodes of a NodePool that are written without their NodeClaims: each gets one, so that the controller's own
// rules on disruption can be asked about it.
#pragma once

#include "model/cluster.h"

namespace joiner::cli {

// As if the node had been made for the pool: named as its node, up, and with nothing that the node does not
// show.
api::NodeClaim claim_for(const api::Node& node, const api::NodePool& pool);

// The claim is named as its node, and has nothing that the node does not show.
void add_missing_claims(model::Cluster& cluster);

}  // namespace joiner::cli
