#include "cli/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/codec.h"
#include "api/first_api.h"
#include "cli/admission.h"
#include "cli/budget_status.h"
#include "cli/static_volumes.h"
#include "cli/unplanned_pods.h"
#include "cli/workload_pods.h"
#include "cli/world_warnings.h"

namespace joiner::cli {
namespace {

constexpr std::int64_t kMaxReplicas = 1'000'000;
constexpr std::size_t kMaxPods = 5'000'000;
constexpr std::string_view kSafeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict";

// null where there is no such member, or something on the way to it is no object.
nlohmann::json value_at(const nlohmann::json& from, std::initializer_list<const char*> path) {
    const nlohmann::json* at = &from;
    for (const char* key : path) {
        if (!at->is_object() || !at->contains(key)) return nullptr;
        at = &(*at)[key];
    }
    return *at;
}

// Group and kind; a kind of the same name in another group is another kind. What has moved to another group
// since is known under both.
std::string kind_key(const api::Document& document) {
    std::string_view group = document.group();
    if (group == "extensions") group = "apps";
    return fmt::format("{}/{}", group, document.kind);
}

class Filler {
  public:
    Filler(WallTime now, World& world) : now_(now), cluster_(world.cluster), world_(world) {}

    Status fill(const Manifests& manifests) {
        for (const Manifest& manifest : manifests.objects) {
            const Status is_read = read(manifest.document);
            if (is_read) continue;
            if (!manifest.was_found) return is_read;
            warnings_.left_out(is_read.error().message);
        }
        TRY_STATUS(fill_cluster());
        world_.warnings = warnings_.sentences();
        for (std::string& sentence : of_first_api_) world_.warnings.push_back(std::move(sentence));
        for (std::string& sentence : unplanned_pods(cluster_)) world_.warnings.push_back(std::move(sentence));
        for (std::string& sentence : admission_.missing_classes())
            world_.warnings.push_back(std::move(sentence));
        world_.warnings.insert(world_.warnings.end(), manifests.passed_over.begin(),
                               manifests.passed_over.end());
        return {};
    }

  private:
    using Read = Status (Filler::*)(const api::Document&);

    static const std::map<std::string_view, Read>& readers() {
        static const std::map<std::string_view, Read> kReaders = {
            {"/Pod", &Filler::read_pod},
            {"/Node", &Filler::read_node},
            {"/Namespace", &Filler::read_namespace},
            {"/Service", &Filler::read_service},
            {"/ReplicationController", &Filler::read_replication_controller},
            {"/PodTemplate", &Filler::read_pod_template},
            {"/LimitRange", &Filler::read_limit_range},
            {"/PersistentVolumeClaim", &Filler::read_claim_of_volume},
            {"/PersistentVolume", &Filler::read_volume},
            {"apps/Deployment", &Filler::read_workload},
            {"apps/ReplicaSet", &Filler::read_workload},
            {"apps/StatefulSet", &Filler::read_workload},
            {"apps/DaemonSet", &Filler::read_workload},
            {"batch/Job", &Filler::read_job},
            {"autoscaling/HorizontalPodAutoscaler", &Filler::read_autoscaler},
            {"policy/PodDisruptionBudget", &Filler::read_budget},
            {"scheduling.k8s.io/PriorityClass", &Filler::read_priority_class},
            {"node.k8s.io/RuntimeClass", &Filler::read_runtime_class},
            {"storage.k8s.io/StorageClass", &Filler::read_storage_class},
            {"storage.k8s.io/CSINode", &Filler::read_csi_node},
            {"karpenter.sh/NodePool", &Filler::read_node_pool},
            {"karpenter.sh/Provisioner", &Filler::read_provisioner},
            {"karpenter.k8s.aws/AWSNodeTemplate", &Filler::read_node_template},
            {"karpenter.sh/NodeClaim", &Filler::read_node_claim},
            {"karpenter.sh/NodeOverlay", &Filler::read_node_overlay},
            {"karpenter.kwok.sh/KWOKNodeClass", &Filler::read_node_class},
            {"autoscaling.x-k8s.io/CapacityBuffer", &Filler::read_buffer},
        };
        return kReaders;
    }

    static bool reads_kind_named(std::string_view kind) {
        return std::any_of(readers().begin(), readers().end(), [&](const auto& reader) {
            return reader.first.substr(reader.first.find('/') + 1) == kind;
        });
    }

    Status read(const api::Document& document) {
        const auto reader = readers().find(kind_key(document));
        if (reader == readers().end()) {
            warnings_.unread(document, reads_kind_named(document.kind));
            return {};
        }
        if (document.name.empty() && document.generate_name.empty())
            return invalid(fmt::format("{}: a {} has no metadata.name", document.source, document.kind));
        return (this->*reader->second)(document);
    }

    // --- one document of a kind

    template <typename T>
    Result<T> decode(Result<T> (*decoder)(std::string_view, api::DecodeNotes*),
                     const api::Document& document) {
        api::DecodeNotes notes;
        auto out = decoder(document.json, &notes);
        if (!out) return invalid(fmt::format("{}: {}", document.source, out.error().message));
        warnings_.unknown_fields(document, notes);
        // As the API server would name it.
        if (out->meta.name.empty())
            out->meta.name = fmt::format("{}{}", document.generate_name, ++generated_);
        return out;
    }

    template <typename T>
    Result<T> decode_namespaced(Result<T> (*decoder)(std::string_view, api::DecodeNotes*),
                                const api::Document& document) {
        TRY(T out, decode(decoder, document));
        if (out.meta.ns.empty()) out.meta.ns = "default";
        return out;
    }

    // The last of several objects of one name counts; all of them are kept by name.
    void note(const api::Document& document, const api::ObjectMeta& meta) {
        const std::string name = api::full_name(meta);
        if (!seen_.insert(kind_key(document) + " " + name).second)
            warnings_.stands_again(document.kind + " " + name);
    }

    bool has_containers(const api::Document& document, const api::ObjectMeta& meta,
                        const api::PodSpec& spec) {
        if (spec.containers.empty()) warnings_.no_containers(document, meta);
        return !spec.containers.empty();
    }

    static Status check_requests(const api::Document& document, const api::PodSpec& spec) {
        for (const auto* containers : {&spec.containers, &spec.init_containers}) {
            for (const api::Container& container : *containers) {
                for (const auto& [name, amount] : container.requests) {
                    if (!amount.is_negative()) continue;
                    return invalid(
                        fmt::format("{}: {} {}: container {} asks for {} of {}, which is less than "
                                    "nothing",
                                    document.source, document.kind, document.name, container.name,
                                    amount.to_string(), name));
                }
            }
        }
        return {};
    }

    static Status check_count(const api::Document& document, std::string_view field, std::int64_t count) {
        if (count >= 0 && count <= kMaxReplicas) return {};
        return invalid(fmt::format("{}: {} {}: {} {} is not between 0 and {}", document.source, document.kind,
                                   document.name, field, count, kMaxReplicas));
    }

    Status read_pod(const api::Document& document) {
        TRY(api::Pod pod, decode_namespaced(api::decode_pod, document));
        TRY_STATUS(check_requests(document, pod.spec));
        if (!has_containers(document, pod.meta, pod.spec)) return {};
        note(document, pod.meta);
        std::string name = api::full_name(pod.meta);
        pods_.insert_or_assign(std::move(name), std::move(pod));
        return {};
    }

    Status read_workload(const api::Document& document) {
        TRY(api::Workload workload, decode_namespaced(api::decode_workload, document));
        workload.kind = document.kind;
        return keep(document, std::move(workload));
    }

    void note_pause(const api::Document& document, const std::string& key) {
        const auto paused = value_at(nlohmann::json::parse(document.json), {"spec", "paused"});
        if (paused.is_boolean() && paused.get<bool>()) {
            workloads_.paused.insert(key);
        } else {
            workloads_.paused.erase(key);
        }
    }

    Status read_replication_controller(const api::Document& document) {
        TRY(api::Workload workload, decode_namespaced(api::decode_replication_controller, document));
        TRY_STATUS(keep(document, workload));
        cluster_.upsert_selecting(
            model::Kind::kReplicationController,
            {workload.meta, workload.selector.value_or(api::LabelSelector{}).match_labels});
        return {};
    }

    Status keep(const api::Document& document, api::Workload workload) {
        TRY_STATUS(check_count(document, "spec.replicas", workload.replicas));
        TRY_STATUS(check_requests(document, workload.pod_template.spec));
        if (!has_containers(document, workload.meta, workload.pod_template.spec)) return {};
        std::string key = key_of(workload);
        auto& kept = workload.kind == "DaemonSet" ? daemons_ : workloads_.replicated;
        if (!workload.selector && document.api_version == "apps/v1" && kept.contains(key)) {
            warnings_.left_out(
                fmt::format("{}: {} {} has no spec.selector; it looks like a patch, and does not replace the "
                            "one before it",
                            document.source, document.kind, document.name));
            return {};
        }
        note(document, workload.meta);
        if (!workload.selector && document.api_version == "apps/v1")
            warnings_.no_selector(document, workload.meta);
        // What older versions take where none is written.
        if (!workload.selector) workload.selector = {workload.pod_template.meta.labels, {}};
        if (workload.kind == "Deployment") note_pause(document, key);
        kept.insert_or_assign(std::move(key), std::move(workload));
        return {};
    }

    Status read_job(const api::Document& document) {
        TRY(api::Job job, decode_namespaced(api::decode_job, document));
        TRY_STATUS(check_count(document, "spec.parallelism", job.parallelism));
        TRY_STATUS(check_requests(document, job.pod_template.spec));
        if (!has_containers(document, job.meta, job.pod_template.spec)) return {};
        note(document, job.meta);
        std::string name = api::full_name(job.meta);
        workloads_.jobs.insert_or_assign(std::move(name), std::move(job));
        return {};
    }

    Status read_autoscaler(const api::Document& document) {
        const auto whole = nlohmann::json::parse(document.json);
        const auto text = [&](std::initializer_list<const char*> at) {
            const auto value = value_at(whole, at);
            return value.is_string() ? value.get<std::string>() : std::string();
        };
        const auto number = [&](const char* at, std::int64_t otherwise) {
            const auto value = value_at(whole, {"spec", at});
            return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
        };
        const std::string ns = document.ns.empty() ? "default" : document.ns;
        TRY_STATUS(check_count(document, "spec.minReplicas", number("minReplicas", 1)));
        autoscalers_[ns + "/" + document.name] = {
            &document,
            fmt::format("{}/{}/{}", text({"spec", "scaleTargetRef", "kind"}), ns,
                        text({"spec", "scaleTargetRef", "name"})),
            number("minReplicas", 1), number("maxReplicas", kMaxReplicas)};
        return {};
    }

    // At once they hold a workload to their bounds; one without replicas they leave alone.
    void apply_autoscalers() {
        for (const auto& [name, autoscaler] : autoscalers_) {
            const auto target = workloads_.replicated.find(autoscaler.target);
            if (target == workloads_.replicated.end()) {
                warnings_.unread(*autoscaler.document, false);
                continue;
            }
            api::Workload& workload = target->second;
            const std::int64_t before = workload.replicas;
            if (before > 0 && autoscaler.least <= autoscaler.most)
                workload.replicas = std::clamp(before, autoscaler.least, autoscaler.most);
            warnings_.autoscaled(fmt::format("{} {}", workload.kind, api::full_name(workload.meta)), before,
                                 workload.replicas);
        }
    }

    Status read_pod_template(const api::Document& document) {
        TRY(auto pod_template, decode_namespaced(api::decode_pod_template, document));
        note(document, pod_template.meta);
        std::string name = api::full_name(pod_template.meta);
        pod_templates_.insert_or_assign(std::move(name), std::move(pod_template));
        return {};
    }

    Status read_claim_of_volume(const api::Document& document) {
        TRY(auto claim, decode_namespaced(api::decode_persistent_volume_claim, document));
        note(document, claim.meta);
        std::string name = api::full_name(claim.meta);
        const auto selector = value_at(nlohmann::json::parse(document.json), {"spec", "selector"});
        api::StringMap& wanted = static_volumes_.wanted_labels[name] = {};
        const auto labels = value_at(selector, {"matchLabels"});
        for (const auto& [key, value] : labels.items()) {
            if (value.is_string()) wanted[key] = value.get<std::string>();
        }
        if (value_at(selector, {"matchExpressions"}).empty()) {
            static_volumes_.chosen_otherwise.erase(name);
        } else {
            static_volumes_.chosen_otherwise.insert(name);
        }
        claims_.insert_or_assign(std::move(name), std::move(claim));
        return {};
    }

    Status read_buffer(const api::Document& document) {
        TRY(auto buffer, decode_namespaced(api::decode_capacity_buffer, document));
        note(document, buffer.meta);
        if (buffer.meta.uid.empty()) buffer.meta.uid = api::full_name(buffer.meta);
        cluster_.upsert(std::move(buffer));
        return {};
    }

    Status read_service(const api::Document& document) {
        TRY(auto service, decode_namespaced(api::decode_service, document));
        note(document, service.meta);
        cluster_.upsert_selecting(model::Kind::kService, std::move(service));
        return {};
    }

    Status read_budget(const api::Document& document) {
        TRY(auto budget, decode_namespaced(api::decode_pod_disruption_budget, document));
        note(document, budget.meta);
        const auto whole = nlohmann::json::parse(document.json);
        const bool has_status = whole.contains("status") && whole["status"].contains("disruptionsAllowed");
        if (has_status) {
            cluster_.upsert(std::move(budget));
        } else {
            budgets_without_status_.push_back(std::move(budget));
        }
        return {};
    }

    Status read_limit_range(const api::Document& document) {
        TRY(auto range, decode_namespaced(api::decode_limit_range, document));
        note(document, range.meta);
        admission_.add(range);
        cluster_.upsert(std::move(range));
        return {};
    }

    Status read_priority_class(const api::Document& document) {
        TRY(auto priority_class, decode(api::decode_priority_class, document));
        note(document, priority_class.meta);
        admission_.add(std::move(priority_class));
        return {};
    }

    Status read_runtime_class(const api::Document& document) {
        TRY(auto runtime_class, decode(api::decode_runtime_class, document));
        note(document, runtime_class.meta);
        admission_.add(std::move(runtime_class));
        return {};
    }

    Status read_storage_class(const api::Document& document) {
        TRY(auto storage_class, decode(api::decode_storage_class, document));
        note(document, storage_class.meta);
        admission_.add(storage_class);
        cluster_.upsert(std::move(storage_class));
        return {};
    }

    // Of a cluster-scoped kind that the cluster keeps as it is.
    template <typename T>
    Status tell(Result<T> (*decoder)(std::string_view, api::DecodeNotes*), const api::Document& document) {
        TRY(T object, decode(decoder, document));
        note(document, object.meta);
        cluster_.upsert(std::move(object));
        return {};
    }

    Status read_node(const api::Document& document) { return tell(api::decode_node, document); }
    Status read_namespace(const api::Document& document) { return tell(api::decode_namespace, document); }
    Status read_volume(const api::Document& document) {
        TRY(auto volume, decode(api::decode_persistent_volume, document));
        note(document, volume.meta);
        std::vector<std::string> modes;
        const auto written = value_at(nlohmann::json::parse(document.json), {"spec", "accessModes"});
        for (const nlohmann::json& mode : written) {
            if (mode.is_string()) modes.push_back(mode.get<std::string>());
        }
        cluster_.upsert(volume);
        std::string name = volume.meta.name;
        static_volumes_.volumes.insert_or_assign(std::move(name),
                                                 StaticVolume{std::move(volume), std::move(modes)});
        return {};
    }
    Status read_csi_node(const api::Document& document) { return tell(api::decode_csi_node, document); }
    Status read_node_claim(const api::Document& document) { return tell(api::decode_node_claim, document); }
    Status read_node_overlay(const api::Document& document) {
        return tell(api::decode_node_overlay, document);
    }
    Status read_node_class(const api::Document& document) { return tell(api::decode_node_class, document); }
    Status read_node_pool(const api::Document& document) {
        if (document.api_version != "karpenter.sh/v1") warnings_.other_version(document);
        TRY_STATUS(check_namesake(document, "karpenter.sh/Provisioner"));
        return tell(api::decode_node_pool, document);
    }

    // Nodes say by one name what pool they are of.
    Status check_namesake(const api::Document& document, std::string_view other) const {
        if (!seen_.contains(fmt::format("{} {}", other, document.name))) return {};
        return invalid(fmt::format("{}: {} {}: a {} has this name already; rename one of them",
                                   document.source, document.kind, document.name,
                                   other.substr(other.find('/') + 1)));
    }

    // As the NodePool that it is. What the webhooks refused keeps it from being used.
    Status read_provisioner(const api::Document& document) {
        if (document.api_version != api::kFirstApiVersion) return warnings_.unread(document, false), Status{};
        const auto with_source = [&](const Error& error) {
            return invalid(
                fmt::format("{}: {} {} {}", document.source, document.kind, document.name, error.message));
        };
        auto provisioner = api::decode_provisioner(document.json);
        if (!provisioner) return with_source(provisioner.error());
        for (const std::string& sentence : provisioner->lost) warn(document, sentence);
        TRY_STATUS(check_namesake(document, "karpenter.sh/NodePool"));
        note(document, provisioner->meta);
        cluster_.upsert(std::move(*provisioner));
        return {};
    }

    // Its machines are those of the built-in catalogue whatever it says; what is wrong with it is said.
    Status read_node_template(const api::Document& document) {
        if (document.api_version != api::kFirstAwsApiVersion)
            return warnings_.unread(document, false), Status{};
        const auto read = api::first_api_class_of_template(document.json, "");
        if (!read) {
            return invalid(fmt::format("{}: {} {} {}", document.source, document.kind, document.name,
                                       read.error().message));
        }
        for (const std::string& problem : read->problems) warn(document, problem);
        for (const std::string& sentence : read->lost) warn(document, sentence);
        return {};
    }

    void warn(const api::Document& document, std::string_view what) {
        of_first_api_.push_back(
            fmt::format("{}: {} {}: {}", document.source, document.kind, document.name, what));
    }

    // --- all of them together

    Status fill_cluster() {
        apply_autoscalers();
        std::int64_t wanted = 0;
        for (auto& [key, workload] : workloads_.replicated) {
            wanted += workload.meta.deleted ? 0 : workload.replicas;
            admission_.admit(workload.meta.ns, workload.pod_template.spec, true);
        }
        for (auto& [name, job] : workloads_.jobs) {
            wanted += job.parallelism;
            admission_.admit(job.meta.ns, job.pod_template.spec, true);
        }
        if (pods_.size() + static_cast<std::size_t>(wanted) > kMaxPods)
            return invalid(
                fmt::format("the workloads want more than {} pods together; plan a part of them", kMaxPods));
        for (auto& [name, pod] : pods_) prepare(pod);
        std::vector<api::PersistentVolumeClaim> claims;
        warnings_.make_no_pods(add_missing_pods(workloads_, now_, pods_, claims));
        for (api::PersistentVolumeClaim& claim : claims) {
            std::string name = api::full_name(claim.meta);
            claims_.emplace(std::move(name), std::move(claim));
        }
        for (auto& [name, claim] : claims_) admission_.admit(claim);
        bind_claims(static_volumes_, claims_, cluster_);
        for (auto& [name, claim] : claims_) cluster_.upsert(std::move(claim));
        tell_templates();
        for (const auto& [name, pod] : pods_) {
            if (!pod.spec.node_name.empty() && !is_done(pod) &&
                !cluster_.nodes().contains(pod.spec.node_name))
                warnings_.on_unknown_node(pod.spec.node_name);
        }
        while (!pods_.empty()) {
            auto pod = pods_.extract(pods_.begin());
            note_pod(pod.mapped());
            // Whoever schedules it, it wants room.
            pod.mapped().spec.scheduler_name = "default-scheduler";
            cluster_.upsert(pod.mapped());
            if (pod.key() == world_.asked_pod) world_.pod = std::move(pod.mapped());
        }
        for (api::PodDisruptionBudget& budget : budgets_without_status_) {
            budget.disruptions_allowed = disruptions_allowed(budget, cluster_);
            cluster_.upsert(std::move(budget));
        }
        return {};
    }

    void prepare(api::Pod& pod) {
        admission_.admit(pod.meta.ns, pod.spec, pod.meta.uid.empty());
        if (pod.meta.uid.empty()) pod.meta.uid = api::full_name(pod.meta);
        // A pod that runs has done so for we know not how long.
        if (pod.meta.created == kNoTime && pod.spec.node_name.empty()) pod.meta.created = now_;
    }

    void note_pod(const api::Pod& pod) {
        if (api::find_or_empty(pod.meta.annotations, kSafeToEvict) == "false")
            world_.pod_notes.not_safe_to_evict.insert(api::full_name(pod.meta));
        if (api::controller_of(pod.meta) == nullptr) world_.pod_notes.bare.insert(api::full_name(pod.meta));
    }

    // Daemons, and what CapacityBuffers and default spread constraints refer to.
    void tell_templates() {
        for (auto& [key, daemon] : daemons_) {
            admission_.admit(daemon.meta.ns, daemon.pod_template.spec, true);
            cluster_.upsert(daemon);
        }
        for (auto& [name, pod_template] : pod_templates_) {
            admission_.admit(pod_template.meta.ns, pod_template.pod_template.spec, true);
            cluster_.upsert_template(model::Kind::kPodTemplate, std::move(pod_template));
        }
        static const std::map<std::string_view, model::Kind> kKinds = {
            {"Deployment", model::Kind::kDeployment},
            {"StatefulSet", model::Kind::kStatefulSet},
            {"ReplicaSet", model::Kind::kReplicaSet}};
        for (auto& [key, workload] : workloads_.replicated) {
            if (const auto kind = kKinds.find(workload.kind); kind != kKinds.end())
                cluster_.upsert_template(kind->second, std::move(workload));
        }
    }

    struct Autoscaler {
        const api::Document* document;  // Lives as long as the manifests that are read.
        std::string target;             // As in `workloads_`.
        std::int64_t least;
        std::int64_t most;
    };

    WallTime now_;
    model::Cluster& cluster_;
    World& world_;
    WorldWarnings warnings_;
    Admission admission_;
    std::set<std::string> seen_;  // "group/Kind namespace/name"
    std::size_t generated_ = 0;   // Names made for objects that ask for one.
    PodsByName pods_;
    Workloads workloads_;
    std::map<std::string, Autoscaler> autoscalers_;  // "namespace/name"
    std::map<std::string, api::Workload> daemons_;
    std::map<std::string, api::Workload> pod_templates_;
    std::map<std::string, api::PersistentVolumeClaim> claims_;
    StaticVolumes static_volumes_;
    std::vector<api::PodDisruptionBudget> budgets_without_status_;
    std::vector<std::string> of_first_api_;  // What is to be said of its objects.
};

}  // namespace

Status fill_world(const Manifests& manifests, WallTime now, World& world) {
    return Filler(now, world).fill(manifests);
}

}  // namespace joiner::cli
