// The next thing to do for a node on its way out: taint, drain, instance, finalizer; and which pods to evict
// now. Pure. Source: Karpenter's documented node termination, and its drain tiers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"

namespace joiner::plan {

// A pod bound by a scheduler that had not seen the taint yet must have the time to show up.
inline constexpr Duration kDrainSettle = std::chrono::seconds{1};

struct NodeStep {
    enum class Kind {
        kNothing,
        kDeleteClaim,  // The node was deleted by hand: its claim goes with it.
        kTaint,
        kDrain,  // `evict` and `force` name the pods for now.
        kRemoveInstance,
        kRemoveFinalizer,
    };
    Kind kind = Kind::kNothing;
    std::vector<model::PodKey> evict;
    std::vector<model::PodKey> force;  // Past their time: deleted, whatever budgets say.
};

struct NodeFacts {
    const model::Cluster& cluster;
    const model::NodeState& node;
    const model::ClaimState* claim = nullptr;
    bool instance_is_gone = false;
    std::optional<WallTime> tainted_at;  // When our watch first showed the taint; kept by the caller.
};

// REQUIRES: the node is deleting and carries our finalizer.
NodeStep next_node_step(const NodeFacts& facts, WallTime now);

bool has_termination_finalizer(const api::ObjectMeta& meta);
// A drain asks the pod to go: it is no mirror, and it does not tolerate the taint of a node on its way out.
bool is_drainable(const model::PodState& pod);
bool do_not_disrupt_is_active(const model::PodState& pod, WallTime now);

}  // namespace joiner::plan
