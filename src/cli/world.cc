#include "cli/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "api/codec.h"
#include "io/file.h"

namespace joiner::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{2} << 30;
constexpr std::int64_t kMaxReplicas = 1'000'000;

Status read_one(const std::string& path, std::vector<api::Document>& out) {
    std::string text;
    if (path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        TRY(text, io::read_file(path, kMaxFileBytes));
    }
    TRY(auto documents, api::split_manifest(text, path == "-" ? "standard input" : path));
    std::move(documents.begin(), documents.end(), std::back_inserter(out));
    return {};
}

bool is_workload(std::string_view kind) {
    return kind == "Deployment" || kind == "ReplicaSet" || kind == "StatefulSet";
}

class Filler {
  public:
    Filler(WallTime now, World& world) : now_(now), world_(world) {}

    Status fill(const std::vector<api::Document>& documents) {
        // Classes first: pods take their priority and overhead from them, wherever they stand in the files.
        for (const api::Document& document : documents) TRY_STATUS(read_class(document));
        for (const api::Document& document : documents) TRY_STATUS(read(document));
        expand_workloads();
        for (model::Kind kind :
             {model::Kind::kPod, model::Kind::kNode, model::Kind::kNodeClaim, model::Kind::kNodePool,
              model::Kind::kDaemonSet, model::Kind::kKWOKNodeClass, model::Kind::kNamespace,
              model::Kind::kPersistentVolumeClaim, model::Kind::kPersistentVolume, model::Kind::kStorageClass,
              model::Kind::kCSINode, model::Kind::kPodDisruptionBudget, model::Kind::kLimitRange}) {
            world_.cluster.begin_replace(kind);
        }
        for (api::Pod& pod : pods_) world_.cluster.upsert(pod);
        for (api::Node& node : nodes_) world_.cluster.upsert(std::move(node));
        for (api::NodeClaim& claim : claims_) world_.cluster.upsert(std::move(claim));
        for (api::NodePool& pool : pools_) world_.cluster.upsert(std::move(pool));
        for (const api::Workload& daemon : daemons_) world_.cluster.upsert(daemon);
        add_templates();
        return {};
    }

  private:
    template <typename T>
    Result<T> decode(Result<T> (*decoder)(std::string_view, api::DecodeNotes*),
                     const api::Document& document) {
        api::DecodeNotes notes;
        auto out = decoder(document.json, &notes);
        if (!out) return invalid(fmt::format("{}: {}", document.source, out.error().message));
        for (const std::string& field : notes.unknown_fields) {
            world_.warnings.push_back(fmt::format("{}: {} {} has an unknown field {}; it is ignored",
                                                  document.source, document.kind, out->meta.name, field));
        }
        return out;
    }

    Status read_class(const api::Document& document) {
        if (document.kind == "PriorityClass") {
            TRY(auto priority, decode(api::decode_priority_class, document));
            priorities_.emplace(priority.meta.name, priority);
        } else if (document.kind == "RuntimeClass") {
            TRY(auto runtime, decode(api::decode_runtime_class, document));
            runtimes_.emplace(runtime.meta.name, runtime);
        }
        return {};
    }

    Status read(const api::Document& document) {
        const std::string& kind = document.kind;
        if (kind == "Pod") {
            TRY(api::Pod pod, decode(api::decode_pod, document));
            if (pod.meta.name.empty()) return invalid(document.source + ": a Pod has no metadata.name");
            add_pod(std::move(pod));
        } else if (kind == "Node") {
            TRY(api::Node node, decode(api::decode_node, document));
            nodes_.push_back(std::move(node));
        } else if (kind == "NodePool") {
            TRY(api::NodePool pool, decode(api::decode_node_pool, document));
            pools_.push_back(std::move(pool));
        } else if (kind == "NodeClaim") {
            TRY(api::NodeClaim claim, decode(api::decode_node_claim, document));
            claims_.push_back(std::move(claim));
        } else if (kind == "DaemonSet" || is_workload(kind)) {
            TRY(api::Workload workload, decode(api::decode_workload, document));
            workload.kind = kind;
            if (workload.meta.ns.empty()) workload.meta.ns = "default";
            apply_classes(workload.pod_template.spec);
            if (workload.replicas < 0 || workload.replicas > kMaxReplicas) {
                return invalid(fmt::format("{}: {} {}: spec.replicas {} is not between 0 and {}",
                                           document.source, kind, workload.meta.name, workload.replicas,
                                           kMaxReplicas));
            }
            (kind == "DaemonSet" ? daemons_ : workloads_).push_back(std::move(workload));
        } else {
            TRY_STATUS(read_known(document));
        }
        return {};
    }

    template <typename T>
    Status tell(Result<T> (*decoder)(std::string_view, api::DecodeNotes*), const api::Document& document) {
        TRY(T object, decode(decoder, document));
        world_.cluster.upsert(std::move(object));
        return {};
    }

    // Kinds that pods refer to; some are read for their mistakes only.
    Status read_known(const api::Document& document) {
        const std::string& kind = document.kind;
        if (kind == "NodeOverlay") {
            TRY_STATUS(tell(api::decode_node_overlay, document));
        } else if (kind == "CapacityBuffer") {
            TRY(auto buffer, decode(api::decode_capacity_buffer, document));
            if (buffer.meta.ns.empty()) buffer.meta.ns = "default";
            if (buffer.meta.uid.empty()) buffer.meta.uid = api::full_name(buffer.meta);
            world_.cluster.upsert(std::move(buffer));
        } else if (kind == "Service" || kind == "ReplicationController") {
            TRY(auto service, decode(api::decode_service, document));
            if (service.meta.ns.empty()) service.meta.ns = "default";
            world_.cluster.upsert_selecting(
                kind == "Service" ? model::Kind::kService : model::Kind::kReplicationController,
                std::move(service));
        } else if (kind == "PodTemplate") {
            TRY(auto pod_template, decode(api::decode_pod_template, document));
            if (pod_template.meta.ns.empty()) pod_template.meta.ns = "default";
            apply_classes(pod_template.pod_template.spec);
            world_.cluster.upsert_template(model::Kind::kPodTemplate, std::move(pod_template));
        } else if (kind == "PodDisruptionBudget") {
            TRY(auto budget, decode(api::decode_pod_disruption_budget, document));
            if (budget.meta.ns.empty()) budget.meta.ns = "default";
            world_.cluster.upsert(std::move(budget));
        } else if (kind == "PersistentVolumeClaim") {
            TRY(auto claim, decode(api::decode_persistent_volume_claim, document));
            if (claim.meta.ns.empty()) claim.meta.ns = "default";
            world_.cluster.upsert(std::move(claim));
        } else if (kind == "LimitRange") {
            TRY(auto range, decode(api::decode_limit_range, document));
            if (range.meta.ns.empty()) range.meta.ns = "default";
            world_.cluster.upsert(std::move(range));
        } else if (kind == "PersistentVolume") {
            TRY_STATUS(tell(api::decode_persistent_volume, document));
        } else if (kind == "StorageClass") {
            TRY_STATUS(tell(api::decode_storage_class, document));
        } else if (kind == "CSINode") {
            TRY_STATUS(tell(api::decode_csi_node, document));
        } else if (kind == "Namespace") {
            TRY_STATUS(tell(api::decode_namespace, document));
        } else if (kind == "KWOKNodeClass") {
            TRY_STATUS(decode(api::decode_kwok_node_class, document).map([](const auto&) {}));
        } else if (kind != "PriorityClass" && kind != "RuntimeClass") {
            world_.warnings.push_back(
                fmt::format("{}: kind {} is not known here and is skipped", document.source, kind));
        }
        return {};
    }

    // What admission would have filled in.
    void apply_classes(api::PodSpec& spec) const {
        if (const auto it = priorities_.find(spec.priority_class); it != priorities_.end()) {
            if (spec.priority == 0) spec.priority = it->second.value;
        }
        if (const auto it = runtimes_.find(spec.runtime_class); it != runtimes_.end()) {
            if (spec.overhead.empty()) spec.overhead = it->second.overhead;
            for (const auto& [key, value] : it->second.node_selector)
                spec.node_selector.try_emplace(key, value);
            for (const api::Toleration& toleration : it->second.tolerations)
                spec.tolerations.push_back(toleration);
        }
    }

    void add_pod(api::Pod pod) {
        if (pod.meta.ns.empty()) pod.meta.ns = "default";
        if (pod.meta.uid.empty()) pod.meta.uid = api::full_name(pod.meta);
        // A pod that runs has done so for we know not how long.
        if (pod.meta.created == kNoTime && pod.spec.node_name.empty()) pod.meta.created = now_;
        apply_classes(pod.spec);
        if (const api::OwnerReference* owner = api::controller_of(pod.meta)) {
            ++pods_of_[fmt::format("{}/{}/{}", owner->kind, pod.meta.ns, owner->name)];
        }
        pods_.push_back(std::move(pod));
    }

    // For CapacityBuffers that refer to them, and for their selectors.
    void add_templates() {
        const std::map<std::string, model::Kind> kinds = {{"Deployment", model::Kind::kDeployment},
                                                          {"StatefulSet", model::Kind::kStatefulSet},
                                                          {"ReplicaSet", model::Kind::kReplicaSet}};
        for (const api::Workload& workload : workloads_)
            world_.cluster.upsert_template(kinds.at(workload.kind), workload);
    }

    static std::string id_of(const api::Workload& workload) {
        return fmt::format("{}/{}/{}", workload.kind, workload.meta.ns, workload.meta.name);
    }

    // A workload makes the pods it wants and that are not among the files; a Deployment whose ReplicaSet is
    // there leaves it to that.
    void expand_workloads() {
        std::set<std::string> delegated;
        for (const api::Workload& workload : workloads_) {
            const api::OwnerReference* owner = api::controller_of(workload.meta);
            if (owner != nullptr)
                delegated.insert(fmt::format("{}/{}/{}", owner->kind, workload.meta.ns, owner->name));
        }
        for (const api::Workload& workload : workloads_) {
            if (delegated.contains(id_of(workload))) continue;
            const auto there = pods_of_.find(id_of(workload));
            const std::int64_t first = there == pods_of_.end() ? 0 : there->second;
            for (std::int64_t i = first; i < workload.replicas; ++i) {
                api::Pod pod = workload.pod_template;
                pod.meta.ns = workload.meta.ns;
                pod.meta.name = fmt::format("{}-{}", workload.meta.name, i);
                pod.meta.uid = api::full_name(pod.meta);
                pod.meta.created = now_;
                pod.meta.owners = {
                    {"apps/v1", workload.kind, workload.meta.name, workload.meta.uid, true, true}};
                add_claims(workload, pod);
                pods_.push_back(std::move(pod));
            }
        }
    }

    // And the claims themselves, as the StatefulSet would make them.
    void add_claims(const api::Workload& workload, api::Pod& pod) {
        for (const api::Volume& wanted : workload.claim_templates) {
            api::Volume volume = wanted;
            volume.claim_name = wanted.name + "-" + pod.meta.name;
            api::PersistentVolumeClaim claim;
            claim.meta.name = volume.claim_name;
            claim.meta.ns = pod.meta.ns;
            claim.has_storage_class = wanted.has_ephemeral_storage_class;
            claim.storage_class =
                claim.has_storage_class ? wanted.ephemeral_storage_class : default_storage_class();
            if (!world_.cluster.volume_claims().contains(api::full_name(claim.meta)))
                world_.cluster.upsert(std::move(claim));
            pod.spec.volumes.push_back(std::move(volume));
        }
    }

    std::string default_storage_class() const {
        for (const auto& [name, kept] : world_.cluster.storage_classes()) {
            if (api::find_or_empty(kept.object.meta.annotations,
                                   "storageclass.kubernetes.io/is-default-class") == "true")
                return name;
        }
        return {};
    }

    WallTime now_;
    World& world_;
    std::map<std::string, api::PriorityClass> priorities_;
    std::map<std::string, api::RuntimeClass> runtimes_;
    std::map<std::string, std::int64_t> pods_of_;
    std::vector<api::Pod> pods_;
    std::vector<api::Node> nodes_;
    std::vector<api::NodeClaim> claims_;
    std::vector<api::NodePool> pools_;
    std::vector<api::Workload> workloads_;
    std::vector<api::Workload> daemons_;
};

}  // namespace

Result<std::vector<api::Document>> read_manifests(const std::vector<std::string>& paths) {
    std::vector<api::Document> out;
    for (const std::string& path : paths) {
        std::error_code error;
        if (path == "-" || !fs::is_directory(path, error)) {
            TRY_STATUS(read_one(path, out));
            continue;
        }
        std::vector<std::string> files;
        for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
            const std::string extension = it->path().extension().string();
            if (extension == ".yaml" || extension == ".yml" || extension == ".json")
                files.push_back(it->path().string());
        }
        if (error) return invalid(fmt::format("folder {}: {}", path, error.message()));
        if (files.empty()) return invalid(fmt::format("folder {} has no .yaml, .yml or .json file", path));
        std::sort(files.begin(), files.end());
        for (const std::string& file : files) TRY_STATUS(read_one(file, out));
    }
    return out;
}

Status fill_world(const std::vector<api::Document>& documents, WallTime now, World& world) {
    return Filler(now, world).fill(documents);
}

}  // namespace joiner::cli
