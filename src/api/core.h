// Kubernetes core kinds, cut down to the fields that planning and draining look at. Value types; any thread.
// Absent fields keep the API's default, which stands here as the member's initialiser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace joiner::api {

struct Toleration {
    std::string key;
    std::string op = "Equal";  // Equal, Exists, Gt or Lt.
    std::string value;
    std::string effect;  // Empty tolerates every effect.

    friend bool operator==(const Toleration&, const Toleration&) = default;
};

struct NodeSelectorTerm {
    std::vector<SelectorRequirement> match_expressions;
    std::vector<SelectorRequirement> match_fields;
};

struct PreferredNodeTerm {
    int weight = 1;
    NodeSelectorTerm term;
};

struct PodAffinityTerm {
    std::optional<LabelSelector> selector;  // Absent matches nothing.
    std::string topology_key;
    std::vector<std::string> namespaces;
    std::optional<LabelSelector> namespace_selector;
    std::vector<std::string> match_label_keys;
    std::vector<std::string> mismatch_label_keys;
};

struct WeightedPodAffinityTerm {
    int weight = 1;
    PodAffinityTerm term;
};

struct TopologySpreadConstraint {
    int max_skew = 1;
    std::optional<int> min_domains;
    std::string topology_key;
    std::string when_unsatisfiable;  // DoNotSchedule or ScheduleAnyway.
    std::optional<LabelSelector> selector;
    std::vector<std::string> match_label_keys;
    std::string node_affinity_policy = "Honor";
    std::string node_taints_policy = "Ignore";
};

struct ContainerPort {
    int host_port = 0;  // With host networking, container_port where none is given.
    std::string host_ip;
    std::string protocol = "TCP";
    int container_port = 0;
};

struct Container {
    std::string name;
    ResourceMap requests;
    ResourceMap limits;
    std::vector<ContainerPort> ports;  // Only those with a host port; all of them with host networking.
    bool restart_always = false;       // An init container with it is a sidecar.
    bool uses_resource_claims = false;
};

struct Volume {
    std::string name;
    std::string claim_name;  // Of a PersistentVolumeClaim; empty for other sources.
    bool ephemeral = false;  // Generic ephemeral volume: the claim is "<pod>-<volume>".
    std::string ephemeral_storage_class;
    bool has_ephemeral_storage_class = false;
};

struct PodSpec {
    std::vector<Container> containers;
    std::vector<Container> init_containers;
    ResourceMap overhead;
    ResourceMap pod_requests;  // spec.resources
    ResourceMap pod_limits;
    std::vector<Volume> volumes;
    StringMap node_selector;
    bool has_required_node_terms = false;
    std::vector<NodeSelectorTerm> required_node_terms;  // Any one of them suffices; none of none.
    std::vector<PreferredNodeTerm> preferred_node_terms;
    std::vector<PodAffinityTerm> required_pod_affinity;
    std::vector<WeightedPodAffinityTerm> preferred_pod_affinity;
    std::vector<PodAffinityTerm> required_pod_anti_affinity;
    std::vector<WeightedPodAffinityTerm> preferred_pod_anti_affinity;
    std::vector<TopologySpreadConstraint> topology_spread;
    std::vector<Toleration> tolerations;
    std::string scheduler_name = "default-scheduler";
    std::string node_name;
    std::string priority_class;
    std::string runtime_class;
    std::string preemption_policy = "PreemptLowerPriority";
    std::int32_t priority = 0;
    bool has_priority = false;
    std::int64_t termination_grace_seconds = 30;
    bool has_scheduling_gates = false;
    bool has_resource_claims = false;
    bool in_pod_group = false;
    bool host_network = false;
};

// What the kubelet says of a container's requests, or of a pod's, while they may be in the middle of a
// resize.
struct HeldRequests {
    ResourceMap allocated;  // What it has agreed to.
    ResourceMap actuated;   // What runs.
};

struct PodStatus {
    std::string phase = "Pending";
    std::string nominated_node;
    std::vector<Condition> conditions;
    std::optional<WallTime> started;
    // By container name, sidecars and init containers too; only those whose status names its resources.
    std::map<std::string, HeldRequests, std::less<>> held;
    std::optional<HeldRequests> held_by_pod;  // For the pod's own requests.
};

struct Pod {
    ObjectMeta meta;
    PodSpec spec;
    PodStatus status;
};

struct Node {
    ObjectMeta meta;
    std::string provider_id;
    std::vector<Taint> taints;
    bool unschedulable = false;
    ResourceMap capacity;
    ResourceMap allocatable;
    std::vector<Condition> conditions;
    std::string boot_id;  // Another after each start of its machine.
};

struct PersistentVolumeClaim {
    ObjectMeta meta;
    std::string volume_name;
    std::string storage_class;
    bool has_storage_class = false;
    std::vector<std::string> access_modes;
    ResourceMap requests;
    std::string phase;
};

// DaemonSet, Deployment, ReplicaSet, ReplicationController and StatefulSet: a template and a count.
struct Workload {
    ObjectMeta meta;
    std::string kind;
    std::int64_t replicas = 1;
    std::int64_t first_ordinal = 0;  // Of a StatefulSet.
    // Status of a ReplicaSet: its pods cannot be made (a quota is full, say).
    bool cannot_make_pods = false;
    std::optional<LabelSelector> selector;
    Pod pod_template;  // meta.labels, meta.annotations and spec only.
    std::vector<PersistentVolumeClaim> claim_templates;
};

struct Job {
    ObjectMeta meta;
    std::int64_t parallelism = 1;
    // Absent: one success of any of its pods ends it. Of a Job that names no parallelism either, it is one.
    std::optional<std::int64_t> completions;
    bool is_suspended = false;
    std::int64_t succeeded = 0;  // status
    bool is_finished = false;    // It is complete or has failed, or is about to.
    Pod pod_template;            // meta.labels, meta.annotations and spec only.
};

// A Service, or a ReplicationController: what selects pods by plain labels.
struct Service {
    ObjectMeta meta;
    StringMap selector;
};

struct Namespace {
    ObjectMeta meta;
};

struct PersistentVolume {
    ObjectMeta meta;
    std::string csi_driver;
    std::string storage_class;
    std::string claim;  // "ns/name" of the claim it is kept for, or empty.
    ResourceMap capacity;
    std::vector<NodeSelectorTerm> node_terms;
    bool is_local_or_host_path = false;
};

struct StorageClass {
    ObjectMeta meta;
    std::string provisioner;
    std::string binding_mode = "Immediate";
    std::vector<NodeSelectorTerm> allowed_topologies;
};

struct CSINode {
    ObjectMeta meta;
    std::map<std::string, int, std::less<>> volume_limits;  // By driver; absent means no limit.
    // By driver: the labels that say where its volumes can be reached.
    std::map<std::string, std::vector<std::string>, std::less<>> topology_keys;
};

// What a namespace fills in where containers ask for nothing.
struct LimitRange {
    ObjectMeta meta;
    ResourceMap default_requests;  // Of type Container; the API server has derived them from limits already.
    ResourceMap default_limits;
};

struct VolumeAttachment {
    ObjectMeta meta;
    std::string node_name;
    std::string volume_name;  // Empty for inline volumes.
};

// A count, or a percentage of the pods selected.
struct IntOrPercent {
    std::int64_t value = 0;
    bool is_percent = false;
};

struct PodDisruptionBudget {
    ObjectMeta meta;
    std::optional<LabelSelector> selector;
    std::optional<IntOrPercent> min_available;
    std::optional<IntOrPercent> max_unavailable;
    std::string unhealthy_eviction_policy;
    std::int64_t disruptions_allowed = 0;  // status
};

struct PriorityClass {
    ObjectMeta meta;
    std::int32_t value = 0;
    bool global_default = false;
    std::string preemption_policy = "PreemptLowerPriority";
};

struct RuntimeClass {
    ObjectMeta meta;
    ResourceMap overhead;
    StringMap node_selector;
    std::vector<Toleration> tolerations;
};

}  // namespace joiner::api
