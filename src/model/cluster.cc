#include "model/cluster.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "api/names.h"
#include "rules/limit_range.h"

namespace joiner::model {
namespace {

bool is_owned_by(const api::ObjectMeta& meta, std::string_view kind) {
    return std::any_of(meta.owners.begin(), meta.owners.end(),
                       [&](const api::OwnerReference& owner) { return owner.kind == kind; });
}

// Unless the id is another's by now.
template <typename T>
void forget_id(std::unordered_map<std::string, const T*>& by_id, const std::string& id, const T& owner) {
    const auto it = by_id.find(id);
    if (it != by_id.end() && it->second == &owner) by_id.erase(it);
}

std::shared_ptr<const std::vector<VolumeUse>> make_volumes(const api::Pod& pod) {
    std::vector<VolumeUse> out;
    for (const api::Volume& volume : pod.spec.volumes) {
        if (volume.ephemeral) {
            out.push_back({pod.meta.name + "-" + volume.name, true, volume.has_ephemeral_storage_class,
                           volume.ephemeral_storage_class});
        } else if (!volume.claim_name.empty()) {
            out.push_back({volume.claim_name, false, false, {}});
        }
    }
    return out.empty() ? nullptr : std::make_shared<const std::vector<VolumeUse>>(std::move(out));
}

// nullopt when absent; 0 where it is no whole number of 32 bits.
std::optional<std::int32_t> cost_in(const api::ObjectMeta& meta, std::string_view annotation) {
    const auto it = meta.annotations.find(annotation);
    if (it == meta.annotations.end()) return std::nullopt;
    const std::string_view text = it->second;
    std::int32_t cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    return error == std::errc{} && end == text.data() + text.size() ? cost : 0;
}

std::shared_ptr<const PodSurge> make_surge(const api::ObjectMeta& meta) {
    const std::string_view released = api::find_or_empty(meta.annotations, api::kSurgingAnnotation);
    const std::size_t first = released.find('/');
    const std::size_t last = released.rfind('/');
    if (first != last) {
        const auto since = parse_rfc3339(released.substr(last + 1));
        if (since) {
            return std::make_shared<const PodSurge>(
                PodSurge{std::string(released.substr(0, first)),
                         std::string(released.substr(first + 1, last - first - 1)), *since});
        }
    }
    if (api::find_or_empty(meta.annotations, api::kSurgeAnnotation) != "true") return nullptr;
    const api::OwnerReference* owner = api::controller_of(meta);
    return std::make_shared<const PodSurge>(
        PodSurge{owner != nullptr && owner->kind == "ReplicaSet" ? owner->name : "",
                 std::string(api::find_or_empty(meta.labels, api::kPodTemplateHashLabel)), std::nullopt});
}

template <typename T>
void keep(KeptByName<T>& kept, T object, std::uint32_t seen) {
    std::string name = api::full_name(object.meta);
    kept.insert_or_assign(std::move(name), Kept<T>{std::move(object), seen});
}

template <typename T>
void list_unseen(const KeptByName<T>& kept, std::uint32_t current,
                 std::vector<std::pair<std::string, std::string>>& gone) {
    for (const auto& [name, one] : kept) {
        if (one.seen != current) gone.emplace_back(one.object.meta.ns, one.object.meta.name);
    }
}

// Drops what nobody holds any more, now and then.
template <typename T>
void sweep(std::unordered_map<std::string, std::weak_ptr<T>>& known, std::size_t& swept_at) {
    if (known.size() < swept_at) return;
    std::erase_if(known, [](const auto& item) { return item.second.expired(); });
    swept_at = std::max<std::size_t>(1024, 2 * known.size());
}

std::string selecting_owner_of(const api::ObjectMeta& meta) {
    const api::OwnerReference* owner = api::controller_of(meta);
    if (owner == nullptr) return {};
    for (const std::string_view kind : {"ReplicaSet", "StatefulSet", "ReplicationController", "Deployment"}) {
        if (owner->kind == kind) return owner->kind + "/" + owner->name;
    }
    return {};
}

PodState make_pod_state(const api::Pod& pod, bool passes_over_deletion_costs) {
    PodState out({pod.meta.ns, pod.meta.name, pod.meta.uid});
    out.node_name = pod.spec.node_name;
    out.created = pod.meta.created;
    out.deleted = pod.meta.deleted;
    out.started = pod.status.started;
    out.do_not_disrupt = api::find_or_empty(pod.meta.annotations, api::kDoNotDisruptAnnotation);
    if (api::find_or_empty(pod.meta.annotations, api::kDoNotEvictAnnotation) == "true")
        out.do_not_disrupt = "true";
    out.termination_grace_seconds = pod.spec.termination_grace_seconds;
    out.priority = pod.spec.priority;
    out.deletion_cost = cost_in(pod.meta, api::kPodDeletionCostAnnotation);
    const std::optional<std::int32_t> own_cost = cost_in(pod.meta, api::kDisruptionCostAnnotation);
    out.eviction_weight = own_cost                     ? *own_cost
                          : passes_over_deletion_costs ? 0
                                                       : out.deletion_cost.value_or(0);
    out.is_terminal = pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
    out.is_daemon = is_owned_by(pod.meta, "DaemonSet");
    out.is_mirror = is_owned_by(pod.meta, "Node");
    out.is_stateful = is_owned_by(pod.meta, "StatefulSet");
    out.is_of_job = is_owned_by(pod.meta, "Job");
    out.selecting_owner = selecting_owner_of(pod.meta);
    out.has_spread = !pod.spec.topology_spread.empty();
    out.has_gates = pod.spec.has_scheduling_gates;
    out.nominated_node = pod.status.nominated_node;
    const api::Condition* scheduled = api::find_condition(pod.status.conditions, "PodScheduled");
    out.is_unschedulable = scheduled != nullptr && scheduled->reason == "Unschedulable";
    out.is_default_scheduler = pod.spec.scheduler_name == "default-scheduler";
    out.is_critical = pod.spec.priority_class == "system-cluster-critical" ||
                      pod.spec.priority_class == "system-node-critical";
    const api::Condition* ready = api::find_condition(pod.status.conditions, "Ready");
    out.is_ready = ready != nullptr && ready->status == "True";
    return out;
}

}  // namespace

std::shared_ptr<const rules::PodShape> Cluster::intern(rules::PodShape shape) {
    if (const auto it = shapes_.find(shape.key); it != shapes_.end()) {
        if (auto kept = it->second.lock()) return kept;
    }
    sweep(shapes_, shapes_swept_at_);
    auto made = std::make_shared<const rules::PodShape>(std::move(shape));
    shapes_[made->key] = made;
    return made;
}

std::shared_ptr<const rules::PodLabels> Cluster::intern_labels(const api::Pod& pod) {
    std::string key = pod.meta.ns;
    for (const auto& [name, value] : pod.meta.labels)
        key.append(1, '\n').append(name).append(1, '=').append(value);
    if (const auto it = labels_.find(key); it != labels_.end()) {
        if (auto kept = it->second.lock()) return kept;
    }
    sweep(labels_, labels_swept_at_);
    auto made = std::make_shared<const rules::PodLabels>(rules::PodLabels{pod.meta.ns, pod.meta.labels});
    labels_[std::move(key)] = made;
    return made;
}

// REQUIRES: `pod` is an element of pods_, so it stays where it is.
void Cluster::attach(const PodState& pod) {
    const PodKey key = pod.id.full_name();
    if (pod.shape->constraints.binds_others()) binding_.insert(&pod);
    if (pod.surge != nullptr && pod.surge->released) released_.insert(key);
    if (pod.node_name.empty()) {
        if (!pod.is_terminal) unbound_.insert(key);
        return;
    }
    const auto it = nodes_.find(pod.node_name);
    if (it == nodes_.end()) {
        waiting_for_node_[pod.node_name].insert(key);
        return;
    }
    it->second.pods.emplace(key, &pod);
    if (pod.is_terminal) return;
    it->second.used += pod.shape->requests;
    if (pod.is_daemon) it->second.daemon_used += pod.shape->requests;
}

void Cluster::detach(const PodState& pod) {
    const PodKey key = pod.id.full_name();
    binding_.erase(&pod);
    unbound_.erase(key);
    released_.erase(key);
    if (pod.node_name.empty()) return;
    if (const auto waiting = waiting_for_node_.find(pod.node_name); waiting != waiting_for_node_.end()) {
        waiting->second.erase(key);
        if (waiting->second.empty()) waiting_for_node_.erase(waiting);
    }
    const auto it = nodes_.find(pod.node_name);
    if (it == nodes_.end() || it->second.pods.erase(key) == 0 || pod.is_terminal) return;
    it->second.used -= pod.shape->requests;
    if (pod.is_daemon) it->second.daemon_used -= pod.shape->requests;
}

void Cluster::upsert(const api::Pod& pod) {
    PodState next = make_pod_state(pod, passes_over_deletion_costs_);
    next.shape = intern(rules::make_pod_shape(pod, policy_));
    next.labels = intern_labels(pod);
    next.volumes = make_volumes(pod);
    next.surge = make_surge(pod.meta);
    next.seen = generation(Kind::kPod);
    const PodKey key = next.id.full_name();
    const auto it = pods_.find(key);
    if (it != pods_.end()) {
        detach(it->second);
        count_for_its_set(it->second, -1);
        if (it->second.id == next.id) next.id = it->second.id;
        it->second = std::move(next);
        attach(it->second);
        count_for_its_set(it->second, 1);
    } else {
        const PodState& added = pods_.emplace(key, std::move(next)).first->second;
        attach(added);
        count_for_its_set(added, 1);
    }
    ++version_;
}

void Cluster::count_for_its_set(const PodState& pod, int change) {
    const std::string set = replica_set_of(pod);
    if (set.empty() || !pod.is_active()) return;
    const auto it = active_pods_of_.try_emplace(set).first;
    it->second += change;
    if (it->second == 0) active_pods_of_.erase(it);
}

std::int64_t Cluster::active_pods_of(const std::string& replica_set) const {
    const auto it = active_pods_of_.find(replica_set);
    return it == active_pods_of_.end() ? 0 : it->second;
}

std::string replica_set_of(const PodState& pod) {
    constexpr std::string_view kPrefix = "ReplicaSet/";
    if (!pod.selecting_owner.starts_with(kPrefix)) return {};
    return pod.id.ns() + "/" + pod.selecting_owner.substr(kPrefix.size());
}

void Cluster::upsert(api::Node node) {
    const std::string name = node.meta.name;
    auto [it, is_new] = nodes_.try_emplace(name);
    NodeState& state = it->second;
    if (!is_new && state.node.provider_id != node.provider_id) give_up_id(state);
    state.allocatable = rules::as_capacity(node.allocatable);
    if (is_new || state.node.meta.labels != node.meta.labels) {
        state.labels = {};
        state.labels.add_labels(node.meta.labels);
    }
    state.node = std::move(node);
    if (!state.node.provider_id.empty()) take_id(state);
    state.seen = generation(Kind::kNode);
    if (is_new) {
        if (const auto waiting = waiting_for_node_.find(name); waiting != waiting_for_node_.end()) {
            const std::set<PodKey> keys = std::move(waiting->second);
            waiting_for_node_.erase(waiting);
            for (const PodKey& key : keys) attach(pods_.at(key));
        }
    }
    ++version_;
}

void Cluster::upsert(api::NodeClaim claim) {
    const std::string name = claim.meta.name;
    auto [it, is_new] = claims_.try_emplace(name);
    if (!is_new && it->second.claim.provider_id != claim.provider_id) {
        forget_id(claim_by_provider_id_, it->second.claim.provider_id, it->second);
    }
    if (!claim.provider_id.empty()) claim_by_provider_id_[claim.provider_id] = &it->second;
    it->second.is_ours = is_served(claim.node_class);
    it->second.claim = std::move(claim);
    it->second.seen = generation(Kind::kNodeClaim);
    ++version_;
}

void Cluster::upsert(api::NodePool pool) {
    put_pool(std::move(pool));
}

void Cluster::upsert(api::Provisioner provisioner) {
    const std::string name = provisioner.meta.name;
    const auto there = pools_.find(name);
    const bool is_free = there == pools_.end() || there->second.pool.is_provisioner;
    if (is_free) put_pool(provisioner.pool);
    keep(provisioners_, std::move(provisioner), generation(Kind::kProvisioner));
    ++version_;
}

void Cluster::upsert_template(api::NodeClass aws_node_template) {
    keep(aws_node_templates_, std::move(aws_node_template), generation(Kind::kAwsNodeTemplate));
    ++version_;
}

void Cluster::put_pool(api::NodePool pool) {
    const std::string name = pool.meta.name;
    const bool is_ours = is_served(pool.node_template.node_class);
    pools_.insert_or_assign(name, PoolState{std::move(pool), generation(Kind::kNodePool), is_ours});
    ++version_;
    ++offers_version_;
}

void Cluster::upsert(const api::Workload& daemon_set) {
    api::Pod pod = daemon_set.pod_template;
    pod.meta.ns = daemon_set.meta.ns;
    auto shape = daemon_shape(daemon_set.meta.ns, pod);
    auto labels = intern_labels(pod);
    daemons_.insert_or_assign(api::full_name(daemon_set.meta),
                              DaemonState{daemon_set.meta, std::make_shared<const api::Pod>(std::move(pod)),
                                          std::move(shape), std::move(labels), generation(Kind::kDaemonSet)});
    ++version_;
}

std::shared_ptr<const rules::PodShape> Cluster::daemon_shape(const std::string& ns, api::Pod pod_template) {
    rules::ContainerDefaults defaults;
    for (const auto& [name, kept] : limit_ranges_) {
        if (kept.object.meta.ns == ns) defaults.add(kept.object);
    }
    rules::apply_defaults(defaults, pod_template.spec);
    return intern(rules::make_pod_shape(pod_template, rules::PreferencePolicy::kIgnore));
}

void Cluster::reshape_daemons(const std::string& ns) {
    for (auto& [name, daemon] : daemons_) {
        if (daemon.meta.ns == ns) daemon.shape = daemon_shape(ns, *daemon.pod_template);
    }
}

void Cluster::upsert(api::NodeClass node_class) {
    const api::NodeClassReference reference = node_class.reference();
    node_classes_.insert_or_assign(reference, std::make_shared<const api::NodeClass>(std::move(node_class)));
    ++version_;
    ++offers_version_;
}

void Cluster::remove(const api::NodeClassReference& node_class) {
    node_classes_.erase(node_class);
    ++version_;
    ++offers_version_;
}

void Cluster::upsert(api::Namespace ns) {
    keep(namespaces_, std::move(ns), generation(Kind::kNamespace));
    ++version_;
}

void Cluster::upsert(api::PersistentVolumeClaim claim) {
    keep(volume_claims_, std::move(claim), generation(Kind::kPersistentVolumeClaim));
    ++version_;
}

void Cluster::upsert(api::PersistentVolume volume) {
    keep(volumes_, std::move(volume), generation(Kind::kPersistentVolume));
    ++version_;
}

void Cluster::upsert(api::StorageClass storage_class) {
    keep(storage_classes_, std::move(storage_class), generation(Kind::kStorageClass));
    ++version_;
}

void Cluster::upsert(api::CSINode node) {
    keep(csi_nodes_, std::move(node), generation(Kind::kCSINode));
    ++version_;
}

void Cluster::upsert(api::PodDisruptionBudget budget) {
    keep(pod_disruption_budgets_, std::move(budget), generation(Kind::kPodDisruptionBudget));
    ++version_;
}

void Cluster::upsert(api::VolumeAttachment attachment) {
    keep(volume_attachments_, std::move(attachment), generation(Kind::kVolumeAttachment));
    ++version_;
}

void Cluster::upsert(api::LimitRange range) {
    const std::string ns = range.meta.ns;
    keep(limit_ranges_, std::move(range), generation(Kind::kLimitRange));
    reshape_daemons(ns);
    ++version_;
}

void Cluster::upsert(api::NodeOverlay overlay) {
    keep(overlays_, std::move(overlay), generation(Kind::kNodeOverlay));
    ++version_;
    ++offers_version_;
}

void Cluster::upsert(api::CapacityBuffer buffer) {
    keep(buffers_, std::move(buffer), generation(Kind::kCapacityBuffer));
    ++version_;
}

void Cluster::upsert_selecting(Kind kind, api::Service service) {
    keep(kind == Kind::kService ? services_ : replication_controllers_, std::move(service), generation(kind));
    ++version_;
}

void Cluster::upsert_template(Kind kind, api::Workload workload) {
    if (keeps_only_counts_) return upsert_count(kind, workload);
    TemplateState state;
    state.ns = workload.meta.ns;
    state.name = workload.meta.name;
    state.generation = workload.meta.generation;
    state.replicas = workload.replicas;
    state.cannot_make_pods = workload.cannot_make_pods || workload.meta.deleted;
    state.selector = workload.selector;
    workload.pod_template.meta.ns = workload.meta.ns;
    workload.pod_template.spec.priority = std::numeric_limits<std::int32_t>::min();
    state.shape = intern(rules::make_pod_shape(workload.pod_template, policy_));
    state.labels = intern_labels(workload.pod_template);
    state.seen = generation(kind);
    templates_[kind].insert_or_assign(api::full_name(workload.meta), std::move(state));
    ++version_;
}

// Status changes often, and of most changes nothing is kept.
void Cluster::upsert_count(Kind kind, const api::Workload& workload) {
    TemplatesByName& known = templates_[kind];
    const std::string name = api::full_name(workload.meta);
    if (workload.replicas == 0 || workload.meta.deleted) {
        if (known.erase(name) != 0) ++version_;
        return;
    }
    TemplateState& state = known[name];
    const bool is_the_same = state.generation == workload.meta.generation &&
                             state.replicas == workload.replicas &&
                             state.cannot_make_pods == workload.cannot_make_pods;
    state.ns = workload.meta.ns;
    state.name = workload.meta.name;
    state.generation = workload.meta.generation;
    state.replicas = workload.replicas;
    state.cannot_make_pods = workload.cannot_make_pods;
    state.seen = generation(kind);
    if (!is_the_same) ++version_;
}

void Cluster::remove_pod(const PodKey& key) {
    const auto it = pods_.find(key);
    if (it == pods_.end()) return;
    detach(it->second);
    count_for_its_set(it->second, -1);
    pods_.erase(it);
}

void Cluster::remove_node(const std::string& name) {
    const auto it = nodes_.find(name);
    if (it == nodes_.end()) return;
    for (const auto& [key, pod] : it->second.pods) waiting_for_node_[name].insert(key);
    give_up_id(it->second);
    nodes_.erase(it);
}

void Cluster::take_id(const NodeState& node) {
    const std::string& id = node.node.provider_id;
    const NodeState*& owner = node_by_provider_id_[id];
    if (owner != nullptr && owner != &node) twins_[id].insert({owner->node.meta.name, node.node.meta.name});
    owner = &node;
}

void Cluster::give_up_id(const NodeState& node) {
    const std::string& id = node.node.provider_id;
    forget_id(node_by_provider_id_, id, node);
    const auto twins = twins_.find(id);
    if (twins == twins_.end()) return;
    twins->second.erase(node.node.meta.name);
    node_by_provider_id_[id] = &nodes_.at(*twins->second.begin());
    if (twins->second.size() == 1) twins_.erase(twins);
}

void Cluster::remove(Kind kind, const std::string& ns, const std::string& name) {
    switch (kind) {
        case Kind::kPod:
            remove_pod(ns + "/" + name);
            break;
        case Kind::kNode:
            remove_node(name);
            break;
        case Kind::kNodeClaim:
            if (const auto it = claims_.find(name); it != claims_.end()) {
                forget_id(claim_by_provider_id_, it->second.claim.provider_id, it->second);
                claims_.erase(it);
            }
            break;
        case Kind::kNodePool:
            if (const auto it = pools_.find(name); it != pools_.end() && !it->second.pool.is_provisioner) {
                pools_.erase(it);
                ++offers_version_;
                if (const auto hidden = provisioners_.find(name); hidden != provisioners_.end())
                    put_pool(hidden->second.object.pool);
            }
            break;
        case Kind::kProvisioner:
            provisioners_.erase(name);
            if (const auto it = pools_.find(name); it != pools_.end() && it->second.pool.is_provisioner) {
                pools_.erase(it);
                ++offers_version_;
            }
            break;
        case Kind::kAwsNodeTemplate:
            aws_node_templates_.erase(name);
            break;
        case Kind::kDaemonSet:
            daemons_.erase(ns + "/" + name);
            break;
        case Kind::kNamespace:
            namespaces_.erase(name);
            break;
        case Kind::kPersistentVolumeClaim:
            volume_claims_.erase(ns + "/" + name);
            break;
        case Kind::kPersistentVolume:
            volumes_.erase(name);
            break;
        case Kind::kStorageClass:
            storage_classes_.erase(name);
            break;
        case Kind::kCSINode:
            csi_nodes_.erase(name);
            break;
        case Kind::kPodDisruptionBudget:
            pod_disruption_budgets_.erase(ns + "/" + name);
            break;
        case Kind::kVolumeAttachment:
            volume_attachments_.erase(name);
            break;
        case Kind::kLimitRange:
            limit_ranges_.erase(ns + "/" + name);
            reshape_daemons(ns);
            break;
        case Kind::kNodeOverlay:
            overlays_.erase(name);
            ++offers_version_;
            break;
        case Kind::kCapacityBuffer:
            buffers_.erase(ns + "/" + name);
            break;
        case Kind::kService:
            services_.erase(ns + "/" + name);
            break;
        case Kind::kReplicationController:
            replication_controllers_.erase(ns + "/" + name);
            break;
        case Kind::kPodTemplate:
        case Kind::kDeployment:
        case Kind::kStatefulSet:
        case Kind::kReplicaSet:
            templates_[kind].erase(ns + "/" + name);
            break;
    }
    ++version_;
}

void Cluster::begin_replace(Kind kind) {
    ++generation_[static_cast<std::size_t>(kind)];
}

std::vector<std::pair<std::string, std::string>> Cluster::unseen(Kind kind) const {
    const std::uint32_t current = generation(kind);
    std::vector<std::pair<std::string, std::string>> gone;
    switch (kind) {
        case Kind::kPod:
            for (const auto& [key, pod] : pods_) {
                if (pod.seen != current) gone.emplace_back(pod.id.ns(), pod.id.name());
            }
            std::sort(gone.begin(), gone.end());
            break;
        case Kind::kNode:
            for (const auto& [name, state] : nodes_) {
                if (state.seen != current) gone.emplace_back("", name);
            }
            break;
        case Kind::kNodeClaim:
            for (const auto& [name, state] : claims_) {
                if (state.seen != current) gone.emplace_back("", name);
            }
            break;
        case Kind::kNodePool:
            for (const auto& [name, state] : pools_) {
                if (state.seen != current && !state.pool.is_provisioner) gone.emplace_back("", name);
            }
            break;
        case Kind::kProvisioner:
            list_unseen(provisioners_, current, gone);
            break;
        case Kind::kAwsNodeTemplate:
            list_unseen(aws_node_templates_, current, gone);
            break;
        case Kind::kDaemonSet:
            for (const auto& [name, state] : daemons_) {
                if (state.seen != current) gone.emplace_back(state.meta.ns, state.meta.name);
            }
            break;
        case Kind::kNamespace:
            list_unseen(namespaces_, current, gone);
            break;
        case Kind::kPersistentVolumeClaim:
            list_unseen(volume_claims_, current, gone);
            break;
        case Kind::kPersistentVolume:
            list_unseen(volumes_, current, gone);
            break;
        case Kind::kStorageClass:
            list_unseen(storage_classes_, current, gone);
            break;
        case Kind::kCSINode:
            list_unseen(csi_nodes_, current, gone);
            break;
        case Kind::kPodDisruptionBudget:
            list_unseen(pod_disruption_budgets_, current, gone);
            break;
        case Kind::kVolumeAttachment:
            list_unseen(volume_attachments_, current, gone);
            break;
        case Kind::kLimitRange:
            list_unseen(limit_ranges_, current, gone);
            break;
        case Kind::kNodeOverlay:
            list_unseen(overlays_, current, gone);
            break;
        case Kind::kCapacityBuffer:
            list_unseen(buffers_, current, gone);
            break;
        case Kind::kService:
            list_unseen(services_, current, gone);
            break;
        case Kind::kReplicationController:
            list_unseen(replication_controllers_, current, gone);
            break;
        case Kind::kPodTemplate:
        case Kind::kDeployment:
        case Kind::kStatefulSet:
        case Kind::kReplicaSet:
            if (const auto kept = templates_.find(kind); kept != templates_.end()) {
                for (const auto& [name, state] : kept->second) {
                    if (state.seen != current) gone.emplace_back(state.ns, state.name);
                }
            }
            break;
    }
    return gone;
}

void Cluster::end_replace(Kind kind) {
    // The names first: removing changes the maps.
    const auto gone = unseen(kind);
    for (const auto& [ns, name] : gone) remove(kind, ns, name);
    synced_[static_cast<std::size_t>(kind)] = true;
    ++version_;
}

bool Cluster::is_synced() const {
    return std::all_of(std::begin(synced_), synced_ + static_cast<std::size_t>(kFirstOptionalKind),
                       [](bool b) { return b; });
}

const PodState* Cluster::find_pod(const PodKey& key) const {
    const auto it = pods_.find(key);
    return it == pods_.end() ? nullptr : &it->second;
}

const NodeState* Cluster::find_node(std::string_view name) const {
    const auto it = nodes_.find(name);
    return it == nodes_.end() ? nullptr : &it->second;
}

const ClaimState* Cluster::find_claim(std::string_view name) const {
    const auto it = claims_.find(name);
    return it == claims_.end() ? nullptr : &it->second;
}

const PoolState* Cluster::find_pool(std::string_view name) const {
    const auto it = pools_.find(name);
    return it == pools_.end() ? nullptr : &it->second;
}

std::shared_ptr<const api::NodeClass> Cluster::find_node_class(
    const api::NodeClassReference& reference) const {
    const auto it = node_classes_.find(reference);
    return it == node_classes_.end() ? nullptr : it->second;
}

const TemplateState* Cluster::find_template(Kind kind, std::string_view ns_and_name) const {
    const auto kept = templates_.find(kind);
    if (kept == templates_.end()) return nullptr;
    const auto it = kept->second.find(ns_and_name);
    return it == kept->second.end() ? nullptr : &it->second;
}

const NodeState* Cluster::node_of(const api::NodeClaim& claim) const {
    if (claim.provider_id.empty()) return nullptr;
    const auto it = node_by_provider_id_.find(claim.provider_id);
    return it == node_by_provider_id_.end() ? nullptr : it->second;
}

bool Cluster::is_ours(const NodeState& node) const {
    if (const ClaimState* claim = claim_of(node.node)) return claim->is_ours;
    return !served_ || served_->are_named_by(node.node.meta.labels);
}

const ClaimState* Cluster::claim_of(const api::Node& node) const {
    return node.provider_id.empty() ? nullptr : claim_with_id(node.provider_id);
}

const ClaimState* Cluster::claim_with_id(const std::string& provider_id) const {
    const auto it = claim_by_provider_id_.find(provider_id);
    return it == claim_by_provider_id_.end() ? nullptr : it->second;
}

}  // namespace joiner::model
