#include "control/feed.h"

#include <optional>

#include "api/codec.h"

namespace joiner::control {

void Feed::say_changed(const std::string& name) {
    switch (kind_) {
        case model::Kind::kPod:
            break;
        case model::Kind::kNode:
            listener_.node_changed(name);
            break;
        case model::Kind::kNodeClaim:
            listener_.claim_changed(name);
            break;
        case model::Kind::kNodePool:
        case model::Kind::kProvisioner:
        case model::Kind::kAwsNodeTemplate:
        case model::Kind::kDaemonSet:
        case model::Kind::kNamespace:
        case model::Kind::kPersistentVolumeClaim:
        case model::Kind::kPersistentVolume:
        case model::Kind::kStorageClass:
        case model::Kind::kCSINode:
        case model::Kind::kLimitRange:
        case model::Kind::kNodeOverlay:
        case model::Kind::kService:
        case model::Kind::kReplicationController:
            listener_.pools_changed();
            break;
        case model::Kind::kCapacityBuffer:
        case model::Kind::kPodTemplate:
        case model::Kind::kDeployment:
        case model::Kind::kStatefulSet:
        case model::Kind::kReplicaSet:
            listener_.headroom_changed();
            break;
        case model::Kind::kPodDisruptionBudget:
        case model::Kind::kVolumeAttachment:
            break;
    }
}

template <typename T>
void Feed::tell(Result<T> object) {
    if (!object) return listener_.unreadable("an object that the API server sent", object.error());
    const std::string name = object->meta.name;
    cluster_.upsert(std::move(*object));
    say_changed(name);
}

void Feed::tell_template(Result<api::Workload> workload) {
    if (!workload) return listener_.unreadable("an object that the API server sent", workload.error());
    cluster_.upsert_template(kind_, std::move(*workload));
    say_changed({});
}

void Feed::upsert(std::string_view json) {
    switch (kind_) {
        case model::Kind::kPod: {
            const auto pod = api::decode_pod(json);
            if (!pod) return listener_.unreadable("a pod that the API server sent", pod.error());
            const model::PodKey key = api::full_name(pod->meta);
            std::optional<model::PodState> before;
            if (const model::PodState* there = cluster_.find_pod(key)) before = *there;
            cluster_.upsert(*pod);
            listener_.pod_changed(before ? &*before : nullptr, cluster_.find_pod(key));
            return;
        }
        case model::Kind::kNode:
            return tell(api::decode_node(json));
        case model::Kind::kNodeClaim:
            return tell(api::decode_node_claim(json));
        case model::Kind::kNodePool:
            return tell(api::decode_node_pool(json));
        case model::Kind::kProvisioner:
            return tell(api::decode_provisioner(json));
        case model::Kind::kAwsNodeTemplate: {
            auto node_template = api::decode_node_class(json);
            if (!node_template)
                return listener_.unreadable("an object that the API server sent", node_template.error());
            cluster_.upsert_template(std::move(*node_template));
            return say_changed({});
        }
        case model::Kind::kDaemonSet:
            return tell(api::decode_workload(json));
        case model::Kind::kNamespace:
            return tell(api::decode_namespace(json));
        case model::Kind::kPersistentVolumeClaim:
            return tell(api::decode_persistent_volume_claim(json));
        case model::Kind::kPersistentVolume:
            return tell(api::decode_persistent_volume(json));
        case model::Kind::kStorageClass:
            return tell(api::decode_storage_class(json));
        case model::Kind::kCSINode:
            return tell(api::decode_csi_node(json));
        case model::Kind::kPodDisruptionBudget:
            return tell(api::decode_pod_disruption_budget(json));
        case model::Kind::kVolumeAttachment: {
            auto attachment = api::decode_volume_attachment(json);
            if (!attachment)
                return listener_.unreadable("an object that the API server sent", attachment.error());
            const std::string node = attachment->node_name;
            cluster_.upsert(std::move(*attachment));
            return listener_.volumes_changed(node);
        }
        case model::Kind::kLimitRange:
            return tell(api::decode_limit_range(json));
        case model::Kind::kNodeOverlay:
            return tell(api::decode_node_overlay(json));
        case model::Kind::kCapacityBuffer:
            return tell(api::decode_capacity_buffer(json));
        case model::Kind::kService:
        case model::Kind::kReplicationController: {
            auto service = api::decode_service(json);
            if (!service) return listener_.unreadable("an object that the API server sent", service.error());
            cluster_.upsert_selecting(kind_, std::move(*service));
            return say_changed({});
        }
        case model::Kind::kPodTemplate:
            return tell_template(api::decode_pod_template(json));
        case model::Kind::kDeployment:
        case model::Kind::kStatefulSet:
        case model::Kind::kReplicaSet:
            return tell_template(api::decode_workload(json));
    }
}

void Feed::remove(std::string_view json) {
    const auto meta = api::decode_meta(json);
    if (!meta) return listener_.unreadable("a deletion that the API server sent", meta.error());
    remove(meta->ns, meta->name);
}

void Feed::remove(const std::string& ns, const std::string& name) {
    if (kind_ == model::Kind::kPod) {
        std::optional<model::PodState> before;
        if (const model::PodState* there = cluster_.find_pod(ns + "/" + name)) before = *there;
        cluster_.remove(kind_, ns, name);
        if (before) listener_.pod_changed(&*before, nullptr);
        return;
    }
    if (kind_ == model::Kind::kVolumeAttachment) {
        const auto there = cluster_.volume_attachments().find(name);
        const std::string node =
            there == cluster_.volume_attachments().end() ? "" : there->second.object.node_name;
        cluster_.remove(kind_, ns, name);
        return listener_.volumes_changed(node);
    }
    cluster_.remove(kind_, ns, name);
    say_changed(name);
}

// Of the kinds that are always watched one that is missing is a mistake, and nothing is done until it is
// mended.
void Feed::missing() {
    if (kind_ < model::kFirstOptionalKind) return;
    begin_replace();
    end_replace();
    say_changed({});
}

// What went while nobody was watching went all the same: it is told as any deletion is.
void Feed::end_replace() {
    for (const auto& [ns, name] : cluster_.unseen(kind_)) remove(ns, name);
    cluster_.end_replace(kind_);
    listener_.synced();
}

void NodeClassFeed::upsert(std::string_view json) {
    auto node_class = api::decode_node_class(json);
    if (!node_class) return listener_.unreadable("an object that the API server sent", node_class.error());
    // Items of a list need not say what they are.
    node_class->group = kind_.group;
    node_class->kind = kind_.kind;
    const api::NodeClassReference reference = node_class->reference();
    seen_.insert(reference.name);
    cluster_.upsert(std::move(*node_class));
    listener_.class_changed(reference);
}

void NodeClassFeed::remove(std::string_view json) {
    const auto meta = api::decode_meta(json);
    if (!meta) return listener_.unreadable("a deletion that the API server sent", meta.error());
    remove(meta->name);
}

void NodeClassFeed::remove(const std::string& name) {
    const api::NodeClassReference reference{kind_.group, kind_.kind, name};
    cluster_.remove(reference);
    listener_.class_changed(reference);
}

void NodeClassFeed::end_replace() {
    std::vector<std::string> gone;
    for (const auto& [reference, node_class] : cluster_.node_classes()) {
        if (reference.group == kind_.group && reference.kind == kind_.kind && !seen_.contains(reference.name))
            gone.push_back(reference.name);
    }
    for (const std::string& name : gone) remove(name);
    is_synced_ = true;
    listener_.synced();
}

void NodeClassFeed::missing() {
    begin_replace();
    end_replace();
}

}  // namespace joiner::control
