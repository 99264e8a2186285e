// Which nodes consolidation may choose among now, and what speaks against the others. Pure; loop thread,
// because it reads the Cluster. Source: Karpenter's documented consolidation rules and policies.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"
#include "plan/disrupt/repack.h"

namespace joiner::plan {

struct Consolidatable {
    // By claim name. Nodes without pods are among them whatever their time: emptiness takes them away, so
    // nothing is to be moved there.
    std::vector<Candidate> candidates;
    std::vector<Blocked> blocked;           // May not be disrupted now.
    std::vector<Blocked> unconsolidatable;  // Their pool, or what is not known of them, keeps them.
    std::vector<Blocked> closed;            // The gate is closed to their pool.
    // Will be candidates at that time, when they have been idle for long enough.
    std::vector<std::pair<WallTime, Candidate>> later;
    std::optional<WallTime> look_again_at;       // The first of those times.
    std::map<std::string, PoolTotals> balanced;  // All nodes of each pool whose policy is Balanced.
};

// Pools that the gate is closed to are among its answers then.
Consolidatable find_consolidatable(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now);

// Of what keeps one node, so much is listed at most.
inline constexpr std::size_t kMostKeepers = 100;
// All that speaks against the claim's node going, however long one waits: not the first only, and not the
// time that it must be idle. Empty where nothing does.
Reasons all_obstacles(const model::Cluster& cluster, const CandidateFinder& finder,
                      const DisruptionGate& gate, const model::ClaimState& state);

// What consolidation asks: where the pods of the candidates may go. Nodes that are about to go for what they
// are take none of them: what is moved there would be moved again.
RepackQuestion make_consolidation_question(const model::Cluster& cluster, model::SnapshotInputs inputs,
                                           Consolidatable found, const DisruptionGate& gate, WallTime now);

// Changes with whatever may make another node worth removing, and not with what nodes and pods say of
// themselves all day. Pods that come and go are not looked at: whoever hears of each counts them.
std::uint64_t consolidation_mark(const model::Cluster& cluster, const DisruptionGate& gate);

}  // namespace joiner::plan
