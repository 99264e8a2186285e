// What the controller is told at start-up. Names and defaults are Karpenter's; our own flags are few and said
// so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "act/services.h"
#include "base/time.h"
#include "control/feature_gates.h"
#include "plan/provision/provision.h"
#include "rules/commitment.h"
#include "rules/pod_shape.h"

namespace joiner::control {

struct Options {
    Duration batch_max = std::chrono::seconds{10};
    Duration batch_idle = std::chrono::seconds{1};
    rules::PreferencePolicy preference_policy = rules::PreferencePolicy::kRespect;
    std::optional<rules::Money> preference_worth;  // See plan::ProvisionOptions.
    plan::MinValuesPolicy min_values_policy = plan::MinValuesPolicy::kStrict;
    FeatureGates gates;
    bool legacy_node_repair = false;  // By force and past all budgets, as before Karpenter 1.15.
    // kube-scheduler's own, for pods without any.
    std::vector<api::TopologySpreadConstraint> default_spread;
    rules::Commitments commitments;  // What is paid for already.
    // Pods of this priority and above have a slow launch asked for again; nullopt: none. Ours.
    std::optional<std::int32_t> hedge_priority;
    Duration hedge_after = std::chrono::seconds{15};  // Without an answer for so long a launch is slow.
    bool heeds_interruption_costs =
        true;  // What spot interruptions are learned to cost counts as a price does.
    act::PodBinding pod_binding = act::PodBinding::kAuto;
    bool plan_ahead = true;  // Pods that ReplicaSets are still making are planned for, too.
    bool leader_election = true;
    std::string leader_election_name = "karpenter-leader-election";
    std::string leader_election_namespace;
    std::string identity;  // Unique to this process: host name and some letters.
    double client_qps = 200;
    int client_burst = 300;
};

}  // namespace joiner::control
