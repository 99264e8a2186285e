// The next thing to do for one NodeClaim, from launch to finalizer. Pure: looked at again after every change,
// so each step is safe to repeat and safe to lose. Source: Karpenter's documented claim lifecycle.
#pragma once

#include <string>

#include "api/karpenter.h"
#include "base/time.h"
#include "model/cluster.h"

namespace joiner::plan {

inline constexpr Duration kLaunchTimeout = std::chrono::minutes{5};
inline constexpr Duration kRegistrationTimeout = std::chrono::minutes{15};

struct ClaimStep {
    enum class Kind {
        kNothing,
        kAddFinalizer,
        kLabel,  // The claim, or its node, does not name its node class.
        kLaunch,
        kEnsureInstance,     // Launched before our time, and its node has not come: is the instance there?
        kAskHooks,           // The cloud may have something left to do before the node is registered.
        kRegister,           // The node is there: labels, owner, taints.
        kRecordRegistered,   // The node carries all that; the claim's status says so too.
        kLiftUnreachable,    // Controller-manager should have taken that taint away long since.
        kOpenBindingWindow,  // Every pod planned for the node is bound and seen: the binding taint goes.
        kInitialize,         // The node is ready in every way.
        kRecordInitialized,
        kDelete,       // `reason` names why.
        kSetDeadline,  // Deleting, with a termination grace period: when it ends.
        kDeleteNode,   // Deleting: its node goes first, drained.
        kRemoveInstance,
        kRemoveFinalizer,
    };
    Kind kind = Kind::kNothing;
    std::string reason;  // Of a deletion, as the metrics name it.
    std::string
        waiting;  // What kNothing waits for, as a condition reason: NodeNotFound, NodeNotReady and so on.
};

struct ClaimFacts {
    const api::NodeClaim& claim;
    const model::NodeState* node = nullptr;
    bool instance_is_gone = false;         // The provider has said so.
    bool instance_was_ensured = false;     // In this process's life.
    bool binding_window_may_open = false;  // No pod waits to be bound on the node.
    bool has_several_nodes = false;        // With the same provider id.
    bool hooks_are_done = true;            // The provider's registration hooks.
};

ClaimStep next_claim_step(const ClaimFacts& facts, WallTime now);

// All that a registered node must carry is there.
bool is_registered(const api::Node& node);
// Why the node is not initialised yet, as a condition reason; empty when it could be.
std::string initialization_obstacle(const api::NodeClaim& claim, const api::Node& node);
bool is_ready(const api::Node& node);
bool is_expired(const api::NodeClaim& claim, WallTime now);

}  // namespace joiner::plan
