// Nodes that will go soon whatever happens: they have drifted, or their time is nearly up. A pod that is
// moved there is moved once more, so their rooms are the last resort. Pure; loop thread, because it reads the
// Cluster.
#pragma once

#include <string_view>

#include "api/karpenter.h"
#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {

// On such a node, for the pods that the scheduler places: it takes another node where there is one.
// PreferNoSchedule.
inline constexpr std::string_view kOutgoingTaint = "joiner.sh/outgoing";

// Drifted, whether its condition says so yet or not, expired, or with a tenth of its life to go and no more
// than an hour.
bool is_outgoing(const api::NodeClaim& claim, const api::NodePool& pool, WallTime now);

// Our claims of which that is so and whose pool lets nodes go for it. Where a pool is paused, held or its
// budgets allow none, its nodes stay for now, and their rooms are as good as any.
model::ClaimNames outgoing_claims(const model::Cluster& cluster, const DisruptionGate& gate, WallTime now);

// The claims' nodes take no pod of the question's any more.
void close_rooms(model::Snapshot& snapshot, const model::Cluster& cluster, const model::ClaimNames& claims);

}  // namespace joiner::plan
