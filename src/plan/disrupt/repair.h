// Node repair: which sick nodes may be replaced or rebooted now, in which order, and what speaks against the
// others. A method of voluntary disruption: budgets hold for it, and replacements come first. Pure; loop
// thread, because it reads the Cluster. Source: Karpenter's documented node repair.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "plan/disrupt/candidates.h"
#include "plan/lifecycle/reboot.h"
#include "rules/by_node_class.h"
#include "rules/repair_policies.h"

namespace joiner::plan {

struct SickNode {
    Candidate candidate;
    rules::RepairVerdict verdict;
    // How long pods may hold the repair up: the shorter of what the policies and the claim say. nullopt: the
    // policies say nothing, and the claim's own holds as always.
    std::optional<Duration> drain_bound;
    // Budgets protect what pods run on, and nodes that never came up are not it.
    bool is_initialized = true;
    std::string evidence;  // One sentence: which condition, since when, and how many others are sick.
};

struct RepairPlan {
    std::vector<SickNode> sick;     // May be repaired; who has waited longest for most first.
    std::vector<Blocked> blocked;   // Something on the node or its claim speaks against it.
    std::vector<Blocked> too_many;  // So many of the pool are sick that the fault is likely elsewhere.
    std::optional<WallTime> look_again_at;  // When the next node that is sick now is past its time.
};

// Of each cloud; a node is judged by its own cloud's.
using RepairPoliciesByClass = rules::ByNodeClass<rules::RepairPolicies>;
inline bool are_empty(const RepairPoliciesByClass& policies) {
    return policies.all([](const rules::RepairPolicies& its) { return its.empty(); });
}
// The node has a condition that its cloud calls sick, however lately.
bool is_sick(const RepairPoliciesByClass& policies, const model::Cluster& cluster,
             const model::NodeState& node);

// How many nodes of a pool may be sick for one of them to be repaired: a fifth, rounded up. So the only sick
// one of a small pool is repaired, and a pool whose nodes fall ill together is left alone, unless it is one.
std::int64_t most_sick(std::int64_t nodes);

RepairPlan plan_repair(const DisruptionFacts& facts, const RepairPoliciesByClass& policies,
                       const RebootHistory& reboots, WallTime now);

// Why a repair that was begun must not go on: it is well again, or people or pods object. nullopt: nothing
// does.
std::optional<Reason> repair_objection(const DisruptionFacts& facts, const RepairPoliciesByClass& policies,
                                       const model::ClaimState& claim, WallTime now);

}  // namespace joiner::plan
