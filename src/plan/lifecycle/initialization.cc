#include "plan/lifecycle/initialization.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/lifecycle/claim_step.h"
#include "plan/lifecycle/promise.h"
#include "plan/lifecycle/reboot.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

std::string not_ready(const api::Node& node) {
    const api::Condition* ready = api::find_condition(node.conditions, "Ready");
    const std::string_view why = ready == nullptr ? std::string_view{} : std::string_view(ready->message);
    return fmt::format("node {} has registered and is not Ready{}{}; look at its kubelet and its network",
                       node.meta.name, why.empty() ? "" : ": ", why);
}

std::string startup_taint(const api::NodeClaim& claim, const api::Node& node) {
    for (const api::Taint& taint : node.taints) {
        const bool is_startup =
            std::any_of(claim.startup_taints.begin(), claim.startup_taints.end(),
                        [&](const api::Taint& startup) { return rules::same_taint(startup, taint); });
        if (is_startup)
            return fmt::format(
                "node {} still has the startup taint {}; look at what is to take it off, or remove it from "
                "spec.template.spec.startupTaints",
                node.meta.name, text_of(taint));
    }
    return {};
}

std::string ephemeral_taint(const api::Node& node) {
    const auto taint = std::find_if(node.taints.begin(), node.taints.end(), rules::is_ephemeral_taint);
    if (taint == node.taints.end()) return {};
    return fmt::format("node {} still has the taint {}, which the cluster takes off when the node is well",
                       node.meta.name, text_of(*taint));
}

std::string missing_resource(const api::NodeClaim& claim, const api::Node& node) {
    const rules::Resources there = rules::as_capacity(node.allocatable);
    for (const auto& [name, requested] : claim.requests) {
        if (!requested.is_zero() && there.get(name) <= 0)
            return fmt::format("node {} does not offer the resource {}; look at its device plugin",
                               node.meta.name, name);
    }
    return {};
}

}  // namespace

bool is_late(const api::NodeClaim& claim, Duration patience, WallTime now) {
    if (rules::is_true(claim.conditions, "Initialized") || is_rebooting(claim)) return false;
    const api::Condition* registered = api::find_condition(claim.conditions, "Registered");
    const bool has_registered = registered != nullptr && registered->status == "True";
    const WallTime since =
        has_registered ? std::max(claim.meta.created, registered->last_transition) : claim.meta.created;
    return now - std::max(since, reboot_ended_at(claim)) >= patience;
}

bool is_in_use(const model::NodeState& node) {
    return std::any_of(node.pods.begin(), node.pods.end(), [](const auto& one) {
        return one.second->is_reschedulable() && one.second->is_ready;
    });
}

std::string missing_for_initialization(const api::NodeClaim& claim, const api::Node& node) {
    const std::string obstacle = initialization_obstacle(claim, node);
    if (obstacle == "NodeNotReady") return not_ready(node);
    if (obstacle == "StartupTaintsExist") return startup_taint(claim, node);
    if (obstacle == "KnownEphemeralTaintsExist") return ephemeral_taint(node);
    if (obstacle == "ResourceNotRegistered") return missing_resource(claim, node);
    return {};
}

std::string why_given_up(const api::NodeClaim& claim, const api::Node* node, std::string_view reason) {
    if (reason == "registration_timeout")
        return fmt::format(
            "the machine of NodeClaim {} has not registered as a node; look at its boot log and at its way "
            "to the "
            "API server",
            claim.meta.name);
    if (reason == "initialization_timeout" && node != nullptr)
        return missing_for_initialization(claim, *node);
    const api::Condition* launched = api::find_condition(claim.conditions, "Launched");
    if (launched != nullptr && !launched->message.empty()) return launched->message;
    return fmt::format("NodeClaim {} was not launched in time", claim.meta.name);
}

}  // namespace joiner::plan
