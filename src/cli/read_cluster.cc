#include "cli/read_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/cluster_calls.h"
#include "cli/kube_config.h"
#include "cloud/ec2/aws/encoding.h"

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr int kPageSize = 500;
constexpr int kMaxPages = 4'000;
constexpr int kMaxRestarts = 3;  // Of a list whose history the API server threw away in the middle.

// A kind as it is read from a live cluster, and what an answer may have wrong without it. The most important
// first: where the cluster does not answer, that is found out at once.
struct KindToRead {
    std::string_view kind;
    std::string_view plural_word;  // As people say it.
    std::string_view api_version;
    std::string_view path;
    bool is_needed = false;
    bool may_be_missing = false;  // The kind is not installed everywhere.
    std::string_view effect = {};
    std::string_view query = {};
};

constexpr std::string_view kShortageMap = "joiner-shortages";

constexpr std::array kKindsToRead = {
    KindToRead{"Node", "Nodes", "v1", "/api/v1/nodes", true},
    KindToRead{"Pod", "Pods", "v1", "/api/v1/pods", true},
    KindToRead{"PodDisruptionBudget", "PodDisruptionBudgets", "policy/v1",
               "/apis/policy/v1/poddisruptionbudgets", false, false,
               "nodes may be named for removal whose pods a budget protects"},
    KindToRead{"DaemonSet", "DaemonSets", "apps/v1", "/apis/apps/v1/daemonsets", false, false,
               "new nodes may have less free capacity than is planned with"},
    KindToRead{"PersistentVolumeClaim", "PersistentVolumeClaims", "v1", "/api/v1/persistentvolumeclaims",
               false, false, "pods with volumes may be planned into a zone that their volume is not in"},
    KindToRead{"PersistentVolume", "PersistentVolumes", "v1", "/api/v1/persistentvolumes", false, false,
               "pods with volumes may be planned into a zone that their volume is not in"},
    KindToRead{"StorageClass", "StorageClasses", "storage.k8s.io/v1",
               "/apis/storage.k8s.io/v1/storageclasses", false, false,
               "pods whose volumes are still to be made may be planned into a zone that has no such storage"},
    KindToRead{"CSINode", "CSINodes", "storage.k8s.io/v1", "/apis/storage.k8s.io/v1/csinodes", false, false,
               "more volumes may be planned on a node than it can attach"},
    KindToRead{"Namespace", "Namespaces", "v1", "/api/v1/namespaces", false, false,
               "affinity that selects namespaces by label may be taken as selecting none"},
    KindToRead{"PriorityClass", "PriorityClasses", "scheduling.k8s.io/v1",
               "/apis/scheduling.k8s.io/v1/priorityclasses", false, false,
               "pods of --with may be planned without their priority"},
    KindToRead{"RuntimeClass", "RuntimeClasses", "node.k8s.io/v1", "/apis/node.k8s.io/v1/runtimeclasses",
               false, false, "pods of --with may be planned without their runtime's overhead"},
    KindToRead{"LimitRange", "LimitRanges", "v1", "/api/v1/limitranges", false, false,
               "pods of --with may be planned without the requests that a LimitRange gives them"},
    KindToRead{"Service", "Services", "v1", "/api/v1/services", false, false,
               "the scheduler's default spread may be planned otherwise than the scheduler does it"},
    KindToRead{"ReplicationController", "ReplicationControllers", "v1", "/api/v1/replicationcontrollers",
               false, false,
               "the scheduler's default spread may be planned otherwise than the scheduler does it"},
    KindToRead{"NodePool", "NodePools", "karpenter.sh/v1", "/apis/karpenter.sh/v1/nodepools", false, true,
               "nodes of NodePools are taken as nodes of no NodePool"},
    KindToRead{"NodeClaim", "NodeClaims", "karpenter.sh/v1", "/apis/karpenter.sh/v1/nodeclaims", false, true,
               "drift, expiry and launches under way are not seen"},
    KindToRead{"NodeOverlay", "NodeOverlays", "karpenter.sh/v1alpha1",
               "/apis/karpenter.sh/v1alpha1/nodeoverlays", false, true,
               "prices and capacities that overlays change are taken unchanged"},
    KindToRead{"KWOKNodeClass", "KWOKNodeClasses", "karpenter.kwok.sh/v1alpha1",
               "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", false, true,
               "NodePools may be taken as ready that are not"},
    KindToRead{"Provisioner", "Provisioners", "karpenter.sh/v1alpha5",
               "/apis/karpenter.sh/v1alpha5/provisioners", false, true,
               "nodes of Provisioners are taken as nodes of no NodePool"},
    KindToRead{"AWSNodeTemplate", "AWSNodeTemplates", "karpenter.k8s.aws/v1alpha1",
               "/apis/karpenter.k8s.aws/v1alpha1/awsnodetemplates", false, true,
               "Provisioners are planned without their templates"},
    KindToRead{"CapacityBuffer", "CapacityBuffers", "autoscaling.x-k8s.io/v1beta1",
               "/apis/autoscaling.x-k8s.io/v1beta1/capacitybuffers", false, true,
               "free capacity that a buffer keeps may be counted as waste"},
    KindToRead{"PodTemplate", "PodTemplates", "v1", "/api/v1/podtemplates", false, false,
               "buffers of a pod template are planned without it"},
    KindToRead{"ConfigMap", "ConfigMaps", "v1", "/api/v1/configmaps", false, false,
               "which offerings are sold out is not known", "fieldSelector=metadata.name%3Djoiner-shortages"},
};

std::string text_member(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

json* object_member(json& object, const char* key) {
    if (!object.is_object()) return nullptr;
    const auto it = object.find(key);
    return it != object.end() && it->is_object() ? &*it : nullptr;
}

constexpr int kMostLevels = 8;

void strip_containers(json& spec) {
    for (const char* list : {"containers", "initContainers", "ephemeralContainers"}) {
        const auto it = spec.find(list);
        if (it == spec.end() || !it->is_array()) continue;
        for (json& container : *it) {
            if (!container.is_object()) continue;
            for (const char* key : {"env", "envFrom", "command", "args", "lifecycle", "livenessProbe",
                                    "readinessProbe", "startupProbe"})
                container.erase(key);
        }
    }
}

void strip_meta(json& object) {
    json* meta = object_member(object, "metadata");
    if (meta == nullptr) return;
    meta->erase("managedFields");
    if (json* annotations = object_member(*meta, "annotations"))
        annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
}

// A pod, and what has pods inside: a workload's template, a CronJob's jobTemplate.
void strip_level(json& object, int levels) {
    strip_meta(object);
    strip_containers(object);
    if (levels == 0) return;
    for (const char* key : {"spec", "template", "jobTemplate"}) {
        if (json* inner = object_member(object, key)) strip_level(*inner, levels - 1);
    }
}

void strip(json& object) {
    const std::string kind = text_member(object, "kind");
    json* meta = object_member(object, "metadata");
    const bool is_ours = meta != nullptr && text_member(*meta, "name") == kShortageMap;
    if (kind == "Secret" || (kind == "ConfigMap" && !is_ours)) {
        for (const char* key : {"data", "stringData", "binaryData"}) object.erase(key);
    }
    // Of a node class: it often holds tokens for the first contact.
    if (json* spec = object_member(object, "spec")) {
        for (const char* key : {"userData", "customUserData"}) spec->erase(key);
    }
    strip_level(object, kMostLevels);
}

struct Page {
    std::vector<json> items;
    std::string next;  // Empty: this was the last one.
};

Result<Page> parse_page(const std::string& body, const KindToRead& kind) {
    json list = json::parse(body, nullptr, false);
    const auto not_a_list = [&] {
        return invalid(
            fmt::format("the API server's list of {} cannot be read: it is no list", kind.plural_word));
    };
    if (!list.is_object()) return not_a_list();
    const auto items = list.find("items");
    // Go's empty list is null.
    if (items == list.end() || !(items->is_array() || items->is_null())) return not_a_list();
    Page out;
    if (json* meta = object_member(list, "metadata")) out.next = text_member(*meta, "continue");
    for (json& item : *items) {
        if (!item.is_object()) return not_a_list();
        out.items.push_back(std::move(item));
    }
    return out;
}

// As of one object: objects of lists carry neither kind nor version.
api::Document document_of(json item, const KindToRead& kind) {
    item["apiVersion"] = kind.api_version;
    item["kind"] = kind.kind;
    strip(item);
    api::Document out;
    out.api_version = kind.api_version;
    out.kind = kind.kind;
    if (json* meta = object_member(item, "metadata")) {
        out.ns = text_member(*meta, "namespace");
        out.name = text_member(*meta, "name");
    }
    out.source = fmt::format("{} {}{}{}", kind.kind, out.ns, out.ns.empty() ? "" : "/", out.name);
    out.json = item.dump(-1, ' ', false, json::error_handler_t::replace);
    return out;
}

class LiveReader {
  public:
    explicit LiveReader(const Getter& get) : get_(get) {}

    Result<ClusterRead> read() {
        ClusterRead out;
        out.is_live = true;
        for (const KindToRead& kind : kKindsToRead) {
            auto documents = read_kind(kind);
            if (documents) {
                // What nobody named by hand: one that cannot be understood is left out with a warning.
                for (api::Document& document : *documents)
                    out.manifests.objects.push_back({std::move(document), true});
                continue;
            }
            const Error& error = documents.error();
            if (kind.is_needed)
                return fail(error.kind, fmt::format("{}; without {} there is no answer{}", error.message,
                                                    kind.plural_word, cure_of(error)));
            if (error.kind == ErrorKind::kNotFound) {
                if (std::string why = served_otherwise(kind); !why.empty())
                    out.not_read.push_back(
                        {std::string(kind.plural_word), std::move(why), std::string(kind.effect)});
                if (!kind.may_be_missing)
                    out.not_read.push_back(
                        {std::string(kind.plural_word), error.message, std::string(kind.effect)});
                continue;
            }
            out.not_read.push_back({std::string(kind.plural_word), error.message, std::string(kind.effect)});
        }
        std::sort(out.not_read.begin(), out.not_read.end(),
                  [](const NotRead& a, const NotRead& b) { return a.kind < b.kind; });
        return out;
    }

  private:
    static std::string_view cure_of(const Error& error) {
        return error.kind == ErrorKind::kForbidden
                   ? "; ask for a role that may list them, docs/plan.md has one"
                   : "";
    }

    Result<std::vector<api::Document>> read_kind(const KindToRead& kind) {
        for (int start = 0;; ++start) {
            auto out = read_list(kind);
            if (out || out.error().kind != ErrorKind::kGone || start == kMaxRestarts) return out;
        }
    }

    Result<std::vector<api::Document>> read_list(const KindToRead& kind) {
        std::vector<api::Document> out;
        std::string next;
        for (int page = 0; page < kMaxPages; ++page) {
            std::string path = fmt::format("{}?limit={}", kind.path, kPageSize);
            if (!kind.query.empty()) path += fmt::format("&{}", kind.query);
            if (!next.empty()) path += "&continue=" + cloud::ec2::aws::percent_encode(next);
            TRY(const std::string body, get_(path));
            TRY(Page read, parse_page(body, kind));
            for (json& item : read.items) out.push_back(document_of(std::move(item), kind));
            if (read.next.empty()) return out;
            next = std::move(read.next);
        }
        return invalid(fmt::format("there are more than {} {}", kMaxPages * kPageSize, kind.plural_word));
    }

    // The group may be there in versions that nobody here reads; empty where it is not.
    std::string served_otherwise(const KindToRead& kind) {
        if (!kind.may_be_missing || kind.kind == "Provisioner" || kind.kind == "AWSNodeTemplate") return {};
        const std::string_view version = kind.api_version.substr(kind.api_version.find('/') + 1);
        const std::string_view plural = kind.path.substr(kind.path.rfind('/') + 1);
        std::string found;
        for (const char* other : {"v1beta1", "v1alpha1"}) {
            if (other == version) continue;
            const std::string_view group = kind.api_version.substr(0, kind.api_version.find('/'));
            if (get_(fmt::format("/apis/{}/{}/{}?limit=1", group, other, plural)))
                return fmt::format("the cluster serves them as {} only, and {} is read", other, version);
        }
        return {};
    }

    const Getter& get_;
};

std::string place_of(const api::Document& document) {
    return fmt::format("{}/{} {}/{}", document.group(), document.kind,
                       document.ns.empty() ? "default" : document.ns, document.name);
}

void put_in_place(Manifests with, Manifests& into) {
    std::map<std::string, std::size_t> at;
    for (std::size_t i = 0; i < into.objects.size(); ++i) at[place_of(into.objects[i].document)] = i;
    for (Manifest& one : with.objects) {
        const auto there = one.document.name.empty() ? at.end() : at.find(place_of(one.document));
        if (there == at.end()) {
            into.objects.push_back(std::move(one));
        } else {
            into.objects[there->second] = std::move(one);
        }
    }
    for (std::string& sentence : with.passed_over) into.passed_over.push_back(std::move(sentence));
}

}  // namespace

std::string in_words(const NotRead& not_read) {
    return fmt::format("{} were not read ({}): {}", not_read.kind, not_read.why, not_read.effect);
}

std::string without_secrets(std::string_view object_json) {
    json object = json::parse(object_json, nullptr, false);
    if (!object.is_object()) return std::string(object_json);
    strip(object);
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<ClusterRead> read_live_cluster(const Getter& get) {
    return LiveReader(get).read();
}

Result<ClusterRead> read_cluster(const ClusterFlags& flags) {
    ClusterRead out;
    if (flags.files.empty()) {
        TRY(kube::Config config, load_config(flags.kubeconfig, flags.context));
        ClusterCalls cluster(std::move(config), ClusterCalls::Writes::kNone);
        TRY(out, read_live_cluster([&](const std::string& path) { return cluster.get(path); }));
    } else {
        TRY(out.manifests, read_whole_manifests({flags.files, flags.is_recursive}));
        for (Manifest& one : out.manifests.objects) one.document.json = without_secrets(one.document.json);
    }
    if (flags.with.empty()) return out;
    TRY(Manifests with, read_whole_manifests({flags.with, flags.is_recursive}));
    for (Manifest& one : with.objects) one.document.json = without_secrets(one.document.json);
    put_in_place(std::move(with), out.manifests);
    return out;
}

}  // namespace joiner::cli
