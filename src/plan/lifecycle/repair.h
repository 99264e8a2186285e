// Node repair: a node whose condition has been bad for longer than its cloud tolerates is replaced by force,
// unless so many nodes beside it are sick that the fault is likely elsewhere. Pure. Source: Karpenter's
// documented node repair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "rules/repair_policy.h"

namespace joiner::plan {

struct SickNode {
    std::string claim;
    std::string node;
    std::string pool;       // Empty for a claim of its own.
    std::string condition;  // The one that is closest to its end, or furthest past it.
    WallTime due = kNoTime;
    std::string evidence;  // One sentence: which condition, since when, and how the others are.
};

struct RepairPlan {
    std::vector<SickNode> repairs;          // Past their time: to be removed by force; by claim name.
    std::vector<SickNode> blocked;          // Past their time, and too many others are sick; by claim name.
    std::optional<WallTime> look_again_at;  // When the next one that is sick now is past its time.
};

// How many nodes of a group may be sick for one of them to be repaired: a fifth, rounded up. So the only sick
// one of a small pool is repaired, and a pool whose nodes fall ill together is left alone, unless it is one.
std::int64_t most_sick(std::int64_t nodes);

// A condition of the node has been bad for longer than is tolerated.
bool is_past_its_time(const api::Node& node, const std::vector<rules::RepairPolicy>& policies, WallTime now);

RepairPlan plan_repair(const model::Cluster& cluster, const std::vector<rules::RepairPolicy>& policies,
                       WallTime now);

}  // namespace joiner::plan
