// Which pods a scale-in should take first: those on nodes that go anyway, or that would save most by going.
// ReplicaSets delete pods by controller.kubernetes.io/pod-deletion-cost, lowest first; what each node's pods
// should say is decided here. Pure; loop thread, because it reads the Cluster. Source: Karpenter's documented
// PodDeletionCostManagement.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {

inline constexpr std::int32_t kGoesAnyway = std::numeric_limits<std::int32_t>::min();
// Nodes whose pods are written to in one pass; those that go anyway are not counted.
inline constexpr std::size_t kMostNodesAPass = 50;

struct DeletionCost {
    model::PodKey pod;
    std::string uid;
    std::optional<std::int32_t> cost;  // nullopt: the annotation comes off.
};

struct DeletionCosts {
    std::vector<DeletionCost> writes;                        // In the order of their urgency.
    std::map<std::string, std::int64_t, std::less<>> nodes;  // With pods to be written to, by pool.
};

// `leaving`: claims that commands under way remove. Only pods of ReplicaSets are written to, and only those
// that say something else.
DeletionCosts plan_deletion_costs(const DisruptionFacts& facts, const DisruptionGate& gate,
                                  const model::ClaimNames& leaving, WallTime now);

}  // namespace joiner::plan
