#include "plan/lifecycle/claim_step.h"

#include <algorithm>

#include "api/names.h"
#include "model/make_snapshot.h"
#include "plan/lifecycle/initialization.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using Kind = ClaimStep::Kind;

// Controller-manager tries a few times to take a taint away, and then waits until the node changes.
constexpr Duration kOverlooked = std::chrono::seconds{10};

bool has_finalizer(const api::ObjectMeta& meta) {
    return std::find(meta.finalizers.begin(), meta.finalizers.end(), api::kTerminationFinalizer) !=
           meta.finalizers.end();
}

ClaimStep next_deletion_step(const ClaimFacts& facts) {
    const api::NodeClaim& claim = facts.claim;
    if (!has_finalizer(claim.meta)) return {};
    if (claim.termination_grace_period &&
        !claim.meta.annotations.contains(api::kTerminationTimestampAnnotation)) {
        return {Kind::kSetDeadline, {}, {}};
    }
    if (facts.node != nullptr) {
        // Its own finalizer holds the node until it is drained and the instance is gone.
        if (!facts.node->node.meta.deleted) return {Kind::kDeleteNode, {}, {}};
        return {Kind::kNothing, {}, "NodeTerminating"};
    }
    if (!claim.provider_id.empty() && !facts.instance_is_gone) return {Kind::kRemoveInstance, {}, {}};
    return {Kind::kRemoveFinalizer, {}, {}};
}

bool names_class(const api::ObjectMeta& meta, const api::NodeClassReference& node_class) {
    return node_class.name.empty() || meta.labels.contains(rules::node_class_label(node_class));
}

WallTime since(const api::NodeClaim& claim, std::string_view type) {
    const api::Condition* condition = api::find_condition(claim.conditions, type);
    return condition == nullptr ? claim.meta.created
                                : std::max(claim.meta.created, condition->last_transition);
}

}  // namespace

bool is_expired(const api::NodeClaim& claim, WallTime now) {
    return claim.expire_after.value && now - claim.meta.created >= *claim.expire_after.value;
}

bool is_ready(const api::Node& node) {
    const api::Condition* ready = api::find_condition(node.conditions, "Ready");
    return ready != nullptr && ready->status == "True";
}

bool is_registered(const api::Node& node) {
    return api::find_or_empty(node.meta.labels, api::kRegisteredLabel) == "true" &&
           has_finalizer(node.meta) &&
           !rules::has_taint(node.taints, api::kUnregisteredTaint, api::kNoExecute);
}

std::string initialization_obstacle(const api::NodeClaim& claim, const api::Node& node) {
    if (!is_ready(node)) return "NodeNotReady";
    for (const api::Taint& taint : node.taints) {
        if (taint.key == api::kBindingTaint) return "BindingPods";
        for (const api::Taint& startup : claim.startup_taints) {
            if (rules::same_taint(startup, taint)) return "StartupTaintsExist";
        }
        if (rules::is_ephemeral_taint(taint)) return "KnownEphemeralTaintsExist";
    }
    const rules::Resources there = rules::as_capacity(node.allocatable);
    for (const auto& [name, requested] : claim.requests) {
        if (!requested.is_zero() && there.get(name) <= 0) return "ResourceNotRegistered";
    }
    return {};
}

ClaimStep next_claim_step(const ClaimFacts& facts, WallTime now) {
    const api::NodeClaim& claim = facts.claim;
    if (claim.meta.deleted) return next_deletion_step(facts);
    if (!has_finalizer(claim.meta)) return {Kind::kAddFinalizer, {}, {}};
    if (!names_class(claim.meta, claim.node_class)) return {Kind::kLabel, {}, {}};
    // A node of a pool that is up passes the gate of disruption by choice first.
    const bool is_gated = !api::find_or_empty(claim.meta.labels, api::kNodePoolLabel).empty() &&
                          rules::is_true(claim.conditions, "Initialized");
    if (!is_gated && is_expired(claim, now)) return {Kind::kDelete, "expired", {}};
    if (!rules::is_true(claim.conditions, "Launched") || claim.provider_id.empty()) {
        if (now - since(claim, "Launched") >= kLaunchTimeout) return {Kind::kDelete, "launch_timeout", {}};
        return {Kind::kLaunch, {}, {}};
    }
    if (!rules::is_true(claim.conditions, "Registered")) {
        if (facts.node != nullptr && !facts.has_several_nodes && is_registered(facts.node->node))
            return {Kind::kRecordRegistered, {}, {}};
        if (now - since(claim, "Registered") >= kRegistrationTimeout)
            return {Kind::kDelete, "registration_timeout", {}};
        if (facts.has_several_nodes) return {Kind::kNothing, {}, "MultipleNodesFound"};
        if (facts.node != nullptr && !facts.hooks_are_done)
            return {Kind::kAskHooks, {}, "RegistrationHookPending"};
        if (facts.node != nullptr) return {Kind::kRegister, {}, {}};
        if (!facts.instance_was_ensured) return {Kind::kEnsureInstance, {}, {}};
        return {Kind::kNothing, {}, "NodeNotFound"};
    }
    if (facts.node == nullptr) return {Kind::kNothing, {}, "NodeNotFound"};
    const bool binding_window_is_closed =
        rules::has_taint(facts.node->node.taints, api::kBindingTaint, api::kNoSchedule);
    if (!rules::is_true(claim.conditions, "Initialized") && is_ready(facts.node->node) &&
        rules::has_taint(facts.node->node.taints, api::kUnreachableTaint, api::kNoSchedule) &&
        now - since(claim, "Registered") >= kOverlooked)
        return {Kind::kLiftUnreachable, {}, {}};
    if (binding_window_is_closed && facts.binding_window_may_open) return {Kind::kOpenBindingWindow, {}, {}};
    if (!rules::is_true(claim.conditions, "Initialized")) {
        if (api::find_or_empty(facts.node->node.meta.labels, api::kInitializedLabel) == "true") {
            return {Kind::kRecordInitialized, {}, {}};
        }
        std::string obstacle = initialization_obstacle(claim, facts.node->node);
        if (obstacle.empty()) return {Kind::kInitialize, {}, {}};
        if (!missing_for_initialization(claim, facts.node->node).empty() && !is_in_use(*facts.node) &&
            is_late(claim, kInitializationTimeout, now))
            return {Kind::kDelete, "initialization_timeout", {}};
        return {Kind::kNothing, {}, std::move(obstacle)};
    }
    if (!facts.node->node.meta.deleted && !names_class(facts.node->node.meta, claim.node_class))
        return {Kind::kLabel, {}, {}};
    return {};
}

}  // namespace joiner::plan
