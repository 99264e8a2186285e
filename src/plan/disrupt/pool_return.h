// Nodes that were bought in a lighter NodePool because a heavier one had nothing to sell, and their way back
// once it has. Their claims say so (api::kPassedOverAnnotation), so a restart forgets none. Pure; loop
// thread, because it reads the Cluster. Ours; Karpenter heeds weights only when it buys.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"
#include "plan/disrupt/command.h"

namespace joiner::plan {

// A heavier pool that was passed over, and who may go back there.
struct PassedOver {
    std::vector<std::string> claims;  // By name.
    WallTime last = kNoTime;          // When the newest node was made that passed it over.
};

// By heavier pool. Only where the pool is still there, still buys and is still heavier, and the node's own
// pool lets its nodes go back (api::kReturnAnnotation).
std::map<std::string, PassedOver, std::less<>> find_passed_over(const model::Cluster& cluster);

// All pods of the candidate go to heavier pools than its own, whatever that costs: to rooms there, or to new
// nodes, as they would if they were bought for now. kUnavailable says why not. Closes all other rooms of
// `snapshot`, and leaves only the candidate's pods in it; the command's indexes refer to it. REQUIRES: as
// plan_replacement().
Result<DisruptionCommand> plan_return(model::Snapshot& snapshot, const Candidate& candidate, int own_weight,
                                      const ProvisionOptions& options);

}  // namespace joiner::plan
