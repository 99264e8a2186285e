// Node repair as it was before Karpenter 1.15 (--legacy-node-repair): a node whose condition has been bad for
// longer than its cloud tolerates is removed by force, unless so many nodes beside it are sick that the fault
// is likely elsewhere. Policies that reboot are passed over. Pure. Source: Karpenter's documented node
// repair.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "rules/by_node_class.h"
#include "rules/repair_policy.h"

namespace joiner::plan {

struct LegacySickNode {
    std::string claim;
    std::string node;
    std::string pool;       // Empty for a claim of its own.
    std::string condition;  // The one that is closest to its end, or furthest past it.
    WallTime due = kNoTime;
    std::string evidence;  // One sentence: which condition, since when, and how the others are.
};

struct LegacyRepairPlan {
    std::vector<LegacySickNode> repairs;    // Past their time: to be removed by force; by claim name.
    std::vector<LegacySickNode> blocked;    // Past their time, and too many others are sick; by claim name.
    std::optional<WallTime> look_again_at;  // When the next one that is sick now is past its time.
};

// Of each cloud; a node is judged by its own cloud's.
using LegacyPoliciesByClass = rules::ByNodeClass<std::vector<rules::RepairPolicy>>;

// A condition of the node has been bad for longer than its cloud tolerates.
bool is_past_its_time(const model::Cluster& cluster, const model::NodeState& node,
                      const LegacyPoliciesByClass& policies, WallTime now);

LegacyRepairPlan plan_legacy_repair(const model::Cluster& cluster, const LegacyPoliciesByClass& policies,
                                    WallTime now);

}  // namespace joiner::plan
