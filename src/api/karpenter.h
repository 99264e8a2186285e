// Our custom resources as plain structs: karpenter.sh NodePool, NodeClaim and NodeOverlay, the CapacityBuffer
// of autoscaling.x-k8s.io, and node classes of any kind. Value types; any thread. Field meanings and
// defaults stand in deploy/crds/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace joiner::api {

// A duration, or "Never" (nullopt). Keeps the text it was written with, so that writing it back changes
// nothing.
struct NillableDuration {
    std::optional<Duration> value;
    std::string text = "Never";
};
Result<NillableDuration> parse_nillable_duration(std::string_view text);

struct NodeClassReference {
    std::string group;
    std::string kind;
    std::string name;

    friend auto operator<=>(const NodeClassReference&, const NodeClassReference&) = default;
};

struct NodePoolTemplate {
    StringMap labels;
    StringMap annotations;
    NodeClassReference node_class;
    std::vector<SelectorRequirement> requirements;
    std::vector<Taint> taints;
    std::vector<Taint> startup_taints;
    NillableDuration expire_after = {std::chrono::hours{720}, "720h"};
    std::optional<Duration> termination_grace_period;
};

struct Budget {
    std::string nodes = "10%";
    bool has_reasons = false;
    std::vector<std::string> reasons;
    std::string schedule;  // Empty: always active.
    std::optional<Duration> duration;
};

struct NodePool {
    ObjectMeta meta;
    NodePoolTemplate node_template;
    NillableDuration consolidate_after = {Duration{0}, "0s"};
    std::string consolidation_policy = "WhenEmptyOrUnderutilized";
    std::vector<Budget> budgets = {Budget{}};
    std::optional<ResourceMap> limits;
    int weight = 0;
    std::optional<std::int64_t> replicas;  // Present: a static pool.
    // status
    ResourceMap status_resources;
    std::int64_t status_nodes = 0;
    std::int64_t node_class_observed_generation = 0;
    std::vector<Condition> conditions;
    // Why the spec could not be read in full, one sentence; empty when it could. Such a pool is not used.
    std::string spec_problem;
    bool is_provisioner = false;  // Made of a Provisioner of the first API (docs/first-api.md).

    std::string_view api_version() const {
        return is_provisioner ? "karpenter.sh/v1alpha5" : "karpenter.sh/v1";
    }
    std::string_view kind() const { return is_provisioner ? "Provisioner" : "NodePool"; }
};

// A Provisioner of the first API: the pool that it is in today's, and what its node class is made of.
struct Provisioner {
    ObjectMeta meta;
    NodePool pool;
    bool has_inline_provider = false;
    std::string node_template;      // The AWSNodeTemplate it refers to; empty: none.
    std::string kubelet;            // Its kubelet settings, JSON; empty: none that a class could hold.
    std::string document;           // Itself, JSON, where a class is made of it; otherwise empty.
    std::vector<std::string> lost;  // What today's API cannot say, in sentences.
};

struct NodeClaim {
    ObjectMeta meta;
    std::vector<Taint> taints;
    std::vector<Taint> startup_taints;
    std::vector<SelectorRequirement> requirements;
    ResourceMap requests;
    NodeClassReference node_class;
    std::optional<Duration> termination_grace_period;
    NillableDuration expire_after = {std::chrono::hours{720}, "720h"};
    // status
    std::string node_name;
    std::string provider_id;
    std::string image_id;
    ResourceMap capacity;
    ResourceMap allocatable;
    std::vector<Condition> conditions;
    std::optional<WallTime> last_pod_event;
};

struct NodeOverlay {
    ObjectMeta meta;
    std::vector<SelectorRequirement> requirements;
    std::optional<std::string> price;
    std::optional<std::string> price_adjustment;
    ResourceMap capacity;
    int weight = 0;
    std::vector<Condition> conditions;
};

struct CapacityBuffer {
    ObjectMeta meta;
    std::string provisioning_strategy = "buffer.x-k8s.io/active-capacity";
    std::string pod_template;  // Name in the same namespace; empty when absent.
    std::string scalable_api_group;
    std::string scalable_kind;
    std::string scalable_name;
    std::optional<std::int32_t> replicas;
    std::optional<std::int32_t> percentage;
    std::optional<ResourceMap> limits;
    // status
    std::string status_pod_template;
    std::optional<std::int64_t> status_pod_template_generation;
    std::optional<std::int32_t> status_replicas;
    std::string status_provisioning_strategy;
    std::vector<Condition> conditions;
};

// A node class of whatever kind. Only its provider reads what is in the spec.
struct NodeClass {
    std::string group;
    std::string kind;
    ObjectMeta meta;
    std::string spec = "{}";    // JSON.
    std::string status = "{}";  // JSON, the conditions included.
    std::vector<Condition> conditions;

    NodeClassReference reference() const { return {group, kind, meta.name}; }
};

}  // namespace joiner::api
