#include "control/recorder.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "control/metric_words.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

// Why a claim that was deleted for `reason` has not come up; empty where it has.
std::string_view launch_problem(std::string_view reason) {
    if (reason == "registration_timeout") return "RegistrationFailed";
    if (reason == "initialization_timeout") return "InitializationFailed";
    return reason == "launch_timeout" ? kLaunchFailed : std::string_view{};
}

std::string label(const api::ObjectMeta& meta, std::string_view key) {
    return std::string(api::find_or_empty(meta.labels, key));
}

}  // namespace

void Recorder::claim_created(const api::NodeClaim& claim, std::string_view reason) {
    metrics_.count("nodeclaims_created_total",
                   {{"reason", std::string(reason)},
                    {"nodepool", label(claim.meta, api::kNodePoolLabel)},
                    {"min_values_relaxed", std::string(api::find_or_empty(
                                               claim.meta.annotations, api::kMinValuesRelaxedAnnotation))}});
    observe::log_info("provisioner", "created nodeclaim", {{"NodeClaim", claim.meta.name}});
}

void Recorder::claim_disrupted(const api::NodeClaim& claim, std::string_view reason) {
    const observe::Labels labels = {{"reason", std::string(reason)},
                                    {"nodepool", label(claim.meta, api::kNodePoolLabel)},
                                    {"capacity_type", label(claim.meta, api::kCapacityTypeLabel)},
                                    {"consolidation_policy", consolidation_policy(claim, reason)},
                                    {"termination_mode", termination_mode(claim.termination_grace_period)}};
    metrics_.count("nodeclaims_disrupted_total", labels);
    if (const model::NodeState* node = cluster_.node_of(claim)) {
        const auto pods = std::count_if(node->pods.begin(), node->pods.end(),
                                        [](const auto& item) { return item.second->is_reschedulable(); });
        metrics_.count("pods_disruption_initiated_total", labels, static_cast<double>(pods));
    }
    observe::log_info("disruption", "deleted nodeclaim",
                      {{"NodeClaim", claim.meta.name}, {"reason", std::string(reason)}});
    listener_.ended(claim, reason);
    if (const std::string_view condition = launch_problem(reason); !condition.empty())
        listener_.given_up(claim, reason, condition);
}

void Recorder::launch_failed(const api::NodeClaim& claim, const Error& error) {
    // What the claim says already is not logged at each try.
    const api::Condition* said = api::find_condition(claim.conditions, "Launched");
    if (said == nullptr || said->message != error.message)
        failed("launch NodeClaim " + claim.meta.name, error);
    listener_.launch_failed(claim, error);
}

void Recorder::claim_terminated(const api::NodeClaim& claim) {
    metrics_.count("nodeclaims_terminated_total",
                   {{"nodepool", label(claim.meta, api::kNodePoolLabel)},
                    {"capacity_type", label(claim.meta, api::kCapacityTypeLabel)},
                    {"zone", label(claim.meta, api::kZoneLabel)}});
    time_since(claim.meta.deleted, "nodeclaims_termination_duration_seconds", claim.meta);
    const api::Condition* going = api::find_condition(claim.conditions, "InstanceTerminating");
    if (going != nullptr)
        time_since(going->last_transition, "nodeclaims_instance_termination_duration_seconds", claim.meta);
}

void Recorder::node_created(const api::Node& node) {
    count_node("nodes_created_total", node);
    listener_.registered(node);
}

void Recorder::node_terminated(const api::Node& node) {
    count_node("nodes_terminated_total", node);
    time_since(node.meta.deleted, "nodes_termination_duration_seconds", node.meta);
    time_since(node.meta.created, "nodes_lifetime_duration_seconds", node.meta);
}
void Recorder::node_drained(const api::Node& node) {
    metrics_.count("nodes_drained_total", {{"nodepool", label(node.meta, api::kNodePoolLabel)}});
}

void Recorder::node_rebooted(std::string_view result, Duration took, std::optional<Duration> recovery) {
    const observe::Labels labels = {{"result", std::string(result)}};
    metrics_.count("nodes_reboots_total", labels);
    metrics_.observe("nodes_reboot_duration_seconds", labels, to_seconds(took));
    if (recovery) metrics_.observe("nodes_reboot_recovery_duration_seconds", {}, to_seconds(*recovery));
}

void Recorder::pod_evicted(int code) {
    metrics_.count("pods_eviction_requests_total", {{"code", std::to_string(code)}});
}

void Recorder::pod_bound(std::string_view result) {
    metrics_.count("joiner_pods_bound_total", {{"result", std::string(result)}});
}

void Recorder::failed(std::string_view what, const Error& error) {
    observe::log_error("controller", fmt::format("could not {}", what),
                       {{"error", error.message}, {"kind", to_string(error.kind)}});
}

// Of the claim's pool, where that is what has decided.
std::string Recorder::consolidation_policy(const api::NodeClaim& claim, std::string_view reason) const {
    const model::PoolState* pool = cluster_.find_pool(label(claim.meta, api::kNodePoolLabel));
    const bool is_by_policy = reason == "empty" || reason == "underutilized";
    return pool != nullptr && is_by_policy ? snake_case(pool->pool.consolidation_policy) : std::string{};
}

void Recorder::time_since(std::optional<WallTime> since, std::string_view metric,
                          const api::ObjectMeta& meta) {
    if (!since || *since == kNoTime) return;
    // The API server's clock may be ahead of ours.
    const Duration took = std::max(Duration{0}, std::chrono::duration_cast<Duration>(loop_.now() - *since));
    metrics_.observe(metric, {{"nodepool", label(meta, api::kNodePoolLabel)}}, to_seconds(took));
}

void Recorder::count_node(std::string_view name, const api::Node& node) {
    metrics_.count(name, {{"nodepool", label(node.meta, api::kNodePoolLabel)},
                          {"zone", label(node.meta, api::kZoneLabel)}});
}

}  // namespace joiner::control
