// The next thing to do for a node on its way out: taint, drain, volumes, instance, finalizer; and which pods
// to evict now. Pure. Source: Karpenter's documented node termination, and its drain tiers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "plan/lifecycle/condition_note.h"

namespace joiner::plan {

// A pod bound by a scheduler that had not seen the taint yet must have the time to show up.
inline constexpr Duration kDrainSettle = std::chrono::seconds{1};
// A pod that should have been gone for so long holds nothing up any more.
inline constexpr Duration kStuckTerminating = std::chrono::minutes{1};

// Something people should know, said as an Event.
struct Remark {
    model::PodKey pod;  // What it is about; empty: the node.
    bool is_warning = true;
    std::string reason;
    std::string message;
};

struct NodeStep {
    enum class Kind {
        kNothing,      // It waits; the conditions and remarks say for what.
        kDeleteClaim,  // The node was deleted by hand: its claim goes with it.
        kAskInstance,  // The node is not Ready: perhaps there is no machine any more.
        kTaint,        // And out of the load balancers.
        kDrain,        // `evict` and `force` name the pods for now.
        kRemoveInstance,
        kRemoveFinalizer,
    };
    struct Forced {
        model::PodKey pod;
        int grace_seconds = 1;

        friend bool operator==(const Forced&, const Forced&) = default;
    };

    Kind kind = Kind::kNothing;
    std::vector<model::PodKey> evict = {};
    std::vector<Forced> force = {};  // Past their time: deleted, whatever budgets say.
    std::vector<Remark> remarks = {};
    std::vector<ConditionNote> conditions = {};  // Of the claim.
};

struct NodeFacts {
    const model::Cluster& cluster;
    const model::NodeState& node;
    const model::ClaimState* claim = nullptr;
    bool instance_is_gone = false;
    bool instance_was_asked = false;     // The provider was asked a moment ago, and has the instance.
    std::optional<WallTime> tainted_at;  // When our watch first showed the taint; kept by the caller.
};

// REQUIRES: the node is deleting and carries our finalizer.
NodeStep next_node_step(const NodeFacts& facts, WallTime now);

// The pods to evict next from a node that is drained and stays: tier by tier, and never by force. kDrain
// while some are left, else kNothing.
NodeStep next_drain_step(const model::Cluster& cluster, const model::NodeState& node, WallTime now);

bool has_termination_finalizer(const api::ObjectMeta& meta);
// A drain asks the pod to go: it is no mirror, and it does not tolerate the taint of a node on its way out.
bool is_drainable(const model::PodState& pod);
bool do_not_disrupt_is_active(const model::PodState& pod, WallTime now);
// The PodDisruptionBudgets that select the pod, by name. The eviction API takes one at most.
std::vector<std::string> budgets_of(const model::Cluster& cluster, const model::PodState& pod);

}  // namespace joiner::plan
