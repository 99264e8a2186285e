// What is true now, as the watches tell it: pods, nodes, claims, pools and daemons, with what each node has
// free. One writer, on the loop's thread; it never guesses and never writes anywhere. Planning reads a
// Snapshot made from it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"
#include "base/time.h"
#include "model/pod_id.h"
#include "rules/node_class_kinds.h"
#include "rules/pod_shape.h"
#include "rules/requirement.h"

namespace joiner::model {

enum class Kind {
    kPod,
    kNode,
    kNodeClaim,
    kNodePool,
    kDaemonSet,
    kNamespace,
    kPersistentVolumeClaim,
    kPersistentVolume,
    kStorageClass,
    kCSINode,
    kPodDisruptionBudget,
    kVolumeAttachment,
    kLimitRange,
    kNodeOverlay,
    kCapacityBuffer,
    kPodTemplate,
    kDeployment,
    kStatefulSet,
    kReplicaSet,
    kService,
    kReplicationController,
    kProvisioner,
    kAwsNodeTemplate,
};
inline constexpr std::size_t kKindCount = 23;
// Those before it are always watched; the others may not be installed, and nothing waits for them.
inline constexpr Kind kFirstOptionalKind = Kind::kNodeOverlay;

// A volume of a pod that a PersistentVolumeClaim stands behind.
struct VolumeUse {
    std::string claim;  // Its name, in the pod's namespace.
    bool is_ephemeral = false;
    bool has_storage_class = false;  // Of the ephemeral volume's template.
    std::string storage_class;
};

// Of a pod whose replacement is to be Ready before it is evicted.
struct PodSurge {
    std::string replica_set;  // That owns it, or did; empty: none.
    std::string hash;         // The set's template hash.
    // When its ReplicaSet was made to let go of it; nullopt: not yet.
    std::optional<WallTime> released;
};

// Only what planning, binding and draining need; the rest of a pod is not kept.
struct PodState {
    explicit PodState(PodId who) : id(std::move(who)) {}

    PodId id;
    std::string node_name;
    std::string nominated_node;  // Where the scheduler means to place it soon, often once others are gone.
    std::shared_ptr<const rules::PodShape> shape;
    std::shared_ptr<const rules::PodLabels> labels;
    std::shared_ptr<const std::vector<VolumeUse>> volumes;  // nullptr: none.
    std::shared_ptr<const PodSurge> surge;                  // nullptr: it does not ask for it.
    WallTime created = kNoTime;
    std::optional<WallTime> deleted;
    std::optional<WallTime> started;
    // "ReplicaSet/name" of what made it, where that has a selector; empty otherwise.
    std::string selecting_owner;
    std::string do_not_disrupt;  // The annotation's value; empty when absent.
    std::int64_t termination_grace_seconds = 30;
    std::int32_t priority = 0;
    // What its eviction weighs beside its priority: karpenter.sh/disruption-cost, or where that is absent
    // controller.kubernetes.io/pod-deletion-cost, unless the latter is written by us. 0 where unreadable.
    std::int32_t eviction_weight = 0;
    // controller.kubernetes.io/pod-deletion-cost, whoever wrote it: 0 where unreadable, nullopt when absent.
    std::optional<std::int32_t> deletion_cost;
    bool is_terminal : 1 = false;  // Succeeded or Failed.
    bool is_daemon : 1 = false;    // Owned by a DaemonSet.
    bool is_mirror : 1 = false;    // Owned by its Node.
    bool is_stateful : 1 = false;  // Owned by a StatefulSet.
    bool is_of_job : 1 = false;    // Owned by a Job.
    bool has_gates : 1 = false;
    bool is_unschedulable : 1 = false;  // The scheduler has said so.
    bool is_default_scheduler : 1 = true;
    bool is_critical : 1 = false;  // A system-critical priority class.
    bool is_ready : 1 = false;
    bool has_spread : 1 = false;  // Topology spread constraints of its own, of whatever kind.
    std::uint32_t seen = 0;

    bool is_active() const { return !is_terminal && !deleted; }
    // Somebody would miss it: if its node went, it would have to be made again elsewhere.
    bool is_reschedulable() const {
        return !is_terminal && !is_daemon && !is_mirror && (!deleted || is_stateful);
    }
};
using PodKey = std::string;  // "ns/name"
// "ns/name" of the ReplicaSet that made the pod; empty: none did.
std::string replica_set_of(const PodState& pod);

struct NodeState {
    api::Node node;
    rules::Requirements labels;  // The node's, as plans read them; snapshots share them.
    rules::Resources allocatable;
    rules::Resources used;                   // By all bound pods that are not terminal.
    rules::Resources daemon_used;            // The part of it that DaemonSets use.
    std::map<PodKey, const PodState*> pods;  // Never nullptr; the Cluster owns them.
    std::uint32_t seen = 0;
};

struct ClaimState {
    api::NodeClaim claim;
    std::uint32_t seen = 0;
    bool is_ours = true;
};

struct PoolState {
    api::NodePool pool;
    std::uint32_t seen = 0;
    bool is_ours = true;
};

struct DaemonState {
    api::ObjectMeta meta;
    std::shared_ptr<const api::Pod> pod_template;  // As it is written, before its namespace's defaults.
    std::shared_ptr<const rules::PodShape> shape;  // Of a pod made from its template.
    std::shared_ptr<const rules::PodLabels> labels;
    std::uint32_t seen = 0;
};

// What pods are made from: a PodTemplate, or a workload that can be scaled. Kept without its volumes; where
// only counts are kept, without selector, shape and labels too.
struct TemplateState {
    std::string ns;
    std::string name;
    std::int64_t generation = 0;
    std::int64_t replicas = 0;      // That the workload wants.
    bool cannot_make_pods = false;  // Of a ReplicaSet, as its status says.
    std::optional<api::LabelSelector> selector;
    // Of a pod that keeps room for others and gives way to all of them.
    std::shared_ptr<const rules::PodShape> shape;
    std::shared_ptr<const rules::PodLabels> labels;
    std::uint32_t seen = 0;
};
using TemplatesByName = std::map<std::string, TemplateState, std::less<>>;  // "ns/name"

// A kind that planning looks up by name and that is kept as it came.
template <typename T>
struct Kept {
    T object;
    std::uint32_t seen = 0;
};
template <typename T>
using KeptByName = std::map<std::string, Kept<T>, std::less<>>;

using NodeClasses = std::map<api::NodeClassReference, std::shared_ptr<const api::NodeClass>>;

class Cluster {
  public:
    // Pools, claims and nodes of a kind of node class that is not served are another's: room for pods and
    // places in the way of them, and never to be acted on. nullopt: all are ours.
    explicit Cluster(rules::PreferencePolicy policy,
                     std::optional<rules::NodeClassKinds> served = std::nullopt)
        : policy_(policy), served_(std::move(served)) {}
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    // Pods' deletion costs are written by ourselves from now on: they do not say what an eviction weighs.
    void pass_over_deletion_costs() { passes_over_deletion_costs_ = true; }
    // Nobody asks what the pods of a workload are made from: what is kept of one is how many it wants, and
    // nothing of one that wants none (most clusters have ten ReplicaSets of the past for each in use).
    void keep_only_counts() { keeps_only_counts_ = true; }

    void upsert(const api::Pod& pod);
    void upsert(api::Node node);
    void upsert(api::NodeClaim claim);
    void upsert(api::NodePool pool);
    // It is a pool like any other, unless a NodePool has its name.
    void upsert(api::Provisioner provisioner);
    void upsert_template(api::NodeClass aws_node_template);
    void upsert(const api::Workload& daemon_set);
    void upsert(api::NodeClass node_class);
    void remove(const api::NodeClassReference& node_class);
    void upsert(api::Namespace ns);
    void upsert(api::PersistentVolumeClaim claim);
    void upsert(api::PersistentVolume volume);
    void upsert(api::StorageClass storage_class);
    void upsert(api::CSINode node);
    void upsert(api::PodDisruptionBudget budget);
    void upsert(api::VolumeAttachment attachment);
    void upsert(api::LimitRange range);
    void upsert(api::NodeOverlay overlay);
    void upsert(api::CapacityBuffer buffer);
    // REQUIRES: kService or kReplicationController.
    void upsert_selecting(Kind kind, api::Service service);
    // REQUIRES: kPodTemplate, kDeployment, kStatefulSet or kReplicaSet.
    void upsert_template(Kind kind, api::Workload workload);
    void remove(Kind kind, const std::string& ns, const std::string& name);
    // What is not upserted between the two is gone.
    void begin_replace(Kind kind);
    void end_replace(Kind kind);
    // What has not been upserted since begin_replace(): namespaces and names, for whoever tells of it.
    std::vector<std::pair<std::string, std::string>> unseen(Kind kind) const;
    // Every kind that is always watched has been told in full at least once.
    bool is_synced() const;
    bool is_synced(Kind kind) const { return synced_[static_cast<std::size_t>(kind)]; }

    const std::unordered_map<PodKey, PodState>& pods() const { return pods_; }
    // Unbound, not terminal; in the order of their names.
    const std::set<PodKey>& unbound_pods() const { return unbound_; }
    // Let go by their ReplicaSets, and not evicted yet.
    const std::set<PodKey>& released_pods() const { return released_; }
    // Those whose constraints ask something of other pods, terminal ones too; in no order.
    const std::unordered_set<const PodState*>& binding_pods() const { return binding_; }
    const std::map<std::string, NodeState, std::less<>>& nodes() const { return nodes_; }
    const std::map<std::string, ClaimState, std::less<>>& claims() const { return claims_; }
    const std::map<std::string, PoolState, std::less<>>& pools() const { return pools_; }
    // Those that are ours, in the order of their names: whoever acts goes over these, and no others.
    auto our_claims() const { return std::views::filter(claims_, is_our_item); }
    auto our_pools() const { return std::views::filter(pools_, is_our_item); }
    const KeptByName<api::Provisioner>& provisioners() const { return provisioners_; }
    // AWSNodeTemplates of the first API: what classes are made of, not classes that anybody refers to.
    const KeptByName<api::NodeClass>& aws_node_templates() const { return aws_node_templates_; }
    // As its claim is; without one, as its labels say.
    bool is_ours(const NodeState& node) const;
    bool is_served(const api::NodeClassReference& node_class) const {
        return !served_ || served_->serve(node_class);
    }
    const std::map<std::string, DaemonState, std::less<>>& daemons() const { return daemons_; }
    const NodeClasses& node_classes() const { return node_classes_; }

    const KeptByName<api::Namespace>& namespaces() const { return namespaces_; }
    const KeptByName<api::PersistentVolumeClaim>& volume_claims() const { return volume_claims_; }
    const KeptByName<api::PersistentVolume>& volumes() const { return volumes_; }
    const KeptByName<api::StorageClass>& storage_classes() const { return storage_classes_; }
    const KeptByName<api::CSINode>& csi_nodes() const { return csi_nodes_; }
    const KeptByName<api::PodDisruptionBudget>& pod_disruption_budgets() const {
        return pod_disruption_budgets_;
    }
    const KeptByName<api::VolumeAttachment>& volume_attachments() const { return volume_attachments_; }
    const KeptByName<api::NodeOverlay>& overlays() const { return overlays_; }
    const KeptByName<api::CapacityBuffer>& buffers() const { return buffers_; }
    const KeptByName<api::Service>& services() const { return services_; }
    const KeptByName<api::Service>& replication_controllers() const { return replication_controllers_; }
    // Of a ReplicaSet, "ns/name": those that have neither ended nor been deleted.
    std::int64_t active_pods_of(const std::string& replica_set) const;
    // nullptr: there is none, as far as is known.
    const TemplateState* find_template(Kind kind, std::string_view ns_and_name) const;

    const PodState* find_pod(const PodKey& key) const;
    const NodeState* find_node(std::string_view name) const;
    const ClaimState* find_claim(std::string_view name) const;
    const PoolState* find_pool(std::string_view name) const;
    std::shared_ptr<const api::NodeClass> find_node_class(const api::NodeClassReference& reference) const;
    const NodeState* node_of(const api::NodeClaim& claim) const;  // By provider id.
    const ClaimState* claim_of(const api::Node& node) const;      // By provider id.
    const ClaimState* claim_with_id(const std::string& provider_id) const;
    // More than one node has the claim's provider id.
    bool has_several_nodes(const api::NodeClaim& claim) const { return twins_.contains(claim.provider_id); }

    // A cloud offers something else from now on.
    void note_offers_changed() {
        ++version_;
        ++offers_version_;
    }
    // Grows with every change that can matter to a plan.
    std::uint64_t version() const { return version_; }
    // Grows with every change of a NodePool, node class or NodeOverlay, and of what clouds offer.
    std::uint64_t offers_version() const { return offers_version_; }

  private:
    void attach(const PodState& pod);
    std::shared_ptr<const rules::PodShape> daemon_shape(const std::string& ns, api::Pod pod_template);
    // What a LimitRange of the namespace says has changed.
    void reshape_daemons(const std::string& ns);
    void detach(const PodState& pod);
    void remove_pod(const PodKey& key);
    void count_for_its_set(const PodState& pod, int change);
    void remove_node(const std::string& name);
    void take_id(const NodeState& node);
    void give_up_id(const NodeState& node);
    std::shared_ptr<const rules::PodShape> intern(rules::PodShape shape);
    std::shared_ptr<const rules::PodLabels> intern_labels(const api::Pod& pod);
    std::uint32_t generation(Kind kind) const { return generation_[static_cast<std::size_t>(kind)]; }
    void put_pool(api::NodePool pool);
    void upsert_count(Kind kind, const api::Workload& workload);
    static constexpr auto is_our_item = [](const auto& item) { return item.second.is_ours; };

    rules::PreferencePolicy policy_;
    bool passes_over_deletion_costs_ = false;
    bool keeps_only_counts_ = false;
    std::optional<rules::NodeClassKinds> served_;
    std::unordered_map<PodKey, PodState> pods_;
    std::set<PodKey> unbound_;
    std::set<PodKey> released_;
    std::unordered_set<const PodState*> binding_;
    std::map<std::string, std::set<PodKey>, std::less<>> waiting_for_node_;  // Bound to a node not seen yet.
    std::map<std::string, NodeState, std::less<>> nodes_;
    std::map<std::string, ClaimState, std::less<>> claims_;
    std::map<std::string, PoolState, std::less<>> pools_;
    KeptByName<api::Provisioner> provisioners_;
    KeptByName<api::NodeClass> aws_node_templates_;
    std::map<std::string, DaemonState, std::less<>> daemons_;
    NodeClasses node_classes_;
    KeptByName<api::Namespace> namespaces_;
    KeptByName<api::PersistentVolumeClaim> volume_claims_;  // "ns/name"
    KeptByName<api::PersistentVolume> volumes_;
    KeptByName<api::StorageClass> storage_classes_;
    KeptByName<api::CSINode> csi_nodes_;
    KeptByName<api::PodDisruptionBudget> pod_disruption_budgets_;  // "ns/name"
    KeptByName<api::VolumeAttachment> volume_attachments_;
    KeptByName<api::LimitRange> limit_ranges_;  // "ns/name"
    KeptByName<api::NodeOverlay> overlays_;
    KeptByName<api::CapacityBuffer> buffers_;           // "ns/name"
    KeptByName<api::Service> services_;                 // "ns/name"
    KeptByName<api::Service> replication_controllers_;  // "ns/name"
    std::map<Kind, TemplatesByName> templates_;
    std::unordered_map<std::string, std::int64_t> active_pods_of_;  // By ReplicaSet, "ns/name".
    std::unordered_map<std::string, const NodeState*> node_by_provider_id_;
    std::map<std::string, std::set<std::string>, std::less<>>
        twins_;  // Ids of several nodes, and their names.
    std::unordered_map<std::string, const ClaimState*> claim_by_provider_id_;
    std::unordered_map<std::string, std::weak_ptr<const rules::PodShape>> shapes_;
    std::size_t shapes_swept_at_ = 1024;
    std::unordered_map<std::string, std::weak_ptr<const rules::PodLabels>> labels_;
    std::size_t labels_swept_at_ = 1024;
    bool synced_[kKindCount] = {};
    std::uint32_t generation_[kKindCount] = {};
    std::uint64_t version_ = 0;
    std::uint64_t offers_version_ = 0;
};

}  // namespace joiner::model
