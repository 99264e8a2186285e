#include "sim/resource_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

namespace joiner::sim {
namespace {

constexpr int kNamespaced = 1;
constexpr int kStatus = 2;
constexpr int kScale = 4;
constexpr int kGeneration = 8;
constexpr int kAll = 16;  // Category "all".
constexpr int kCreateByUpdate = 32;
constexpr int kReturnsDeleted = 64;
constexpr int kOrphans = 128;
constexpr int kNeedsVersion = 256;

struct BuiltIn {
    const char* group;
    const char* version;
    const char* plural;
    const char* kind;
    const char* short_name;
    int traits;
};

constexpr BuiltIn kBuiltIns[] = {
    {"", "v1", "configmaps", "ConfigMap", "cm", kNamespaced},
    {"", "v1", "events", "Event", "ev", kNamespaced | kCreateByUpdate},
    {"", "v1", "limitranges", "LimitRange", "limits", kNamespaced},
    {"", "v1", "namespaces", "Namespace", "ns", kStatus},
    {"", "v1", "nodes", "Node", "no", kStatus},
    {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc",
     kNamespaced | kStatus | kReturnsDeleted},
    {"", "v1", "persistentvolumes", "PersistentVolume", "pv", kStatus | kReturnsDeleted},
    {"", "v1", "pods", "Pod", "po", kNamespaced | kStatus | kGeneration | kAll | kReturnsDeleted},
    {"", "v1", "podtemplates", "PodTemplate", "", kNamespaced | kGeneration | kReturnsDeleted},
    {"", "v1", "replicationcontrollers", "ReplicationController", "rc",
     kNamespaced | kStatus | kScale | kGeneration | kAll | kOrphans},
    {"", "v1", "secrets", "Secret", "", kNamespaced},
    {"", "v1", "serviceaccounts", "ServiceAccount", "sa", kNamespaced | kReturnsDeleted},
    {"", "v1", "services", "Service", "svc", kNamespaced | kStatus | kAll | kReturnsDeleted},
    {"apps", "v1", "daemonsets", "DaemonSet", "ds", kNamespaced | kStatus | kGeneration | kAll},
    {"apps", "v1", "deployments", "Deployment", "deploy",
     kNamespaced | kStatus | kScale | kGeneration | kAll},
    {"apps", "v1", "replicasets", "ReplicaSet", "rs", kNamespaced | kStatus | kScale | kGeneration | kAll},
    {"apps", "v1", "statefulsets", "StatefulSet", "sts", kNamespaced | kStatus | kScale | kGeneration | kAll},
    {"batch", "v1", "jobs", "Job", "", kNamespaced | kStatus | kGeneration | kAll | kOrphans},
    {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb",
     kNamespaced | kStatus | kGeneration},
    {"storage.k8s.io", "v1", "csinodes", "CSINode", "", 0},
    {"storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", kReturnsDeleted},
    {"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", "", kStatus | kReturnsDeleted},
    {"coordination.k8s.io", "v1", "leases", "Lease", "", kNamespaced | kCreateByUpdate | kNeedsVersion},
    {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", kGeneration},
    {"node.k8s.io", "v1", "runtimeclasses", "RuntimeClass", "", 0},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", "crd",
     kStatus | kGeneration},
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return result;
}

std::unique_ptr<ResourceType> make_built_in(const BuiltIn& row) {
    auto type = std::make_unique<ResourceType>();
    type->group = row.group;
    type->version = row.version;
    type->plural = row.plural;
    type->singular = lower(row.kind);
    type->kind = row.kind;
    type->list_kind = type->kind + "List";
    if (*row.short_name != '\0') type->short_names.emplace_back(row.short_name);
    if (type->plural == "customresourcedefinitions") {
        type->short_names.emplace_back("crds");
        type->categories.emplace_back("api-extensions");
    }
    if (row.traits & kAll) type->categories.emplace_back("all");
    type->is_namespaced = row.traits & kNamespaced;
    type->has_status = row.traits & kStatus;
    type->has_generation = row.traits & kGeneration;
    type->may_create_by_update = row.traits & kCreateByUpdate;
    type->returns_deleted_object = row.traits & kReturnsDeleted;
    type->orphans_dependents = row.traits & kOrphans;
    type->needs_version_in_update = row.traits & kNeedsVersion;
    if (row.traits & kScale) {
        type->scale = ScalePaths{{"spec", "replicas"}, {"status", "replicas"}, {"spec", "selector"}};
    }
    type->schema.root = core_schema(type->group, type->version, type->kind);
    return type;
}

// ".spec.replicas" → {"spec", "replicas"}
std::vector<std::string> parse_simple_path(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin < path.size()) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        if (end > begin) parts.push_back(path.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::vector<std::string> texts_at(const Json& json, Path path) {
    std::vector<std::string> texts;
    for (const Json& each : array_at(json, path)) {
        if (each.is_string()) texts.push_back(each.get<std::string>());
    }
    return texts;
}

// The version that objects are stored in; the only one served here.
const Json* storage_version(const Json& definition) {
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        if (flag_at(version, {"storage"})) return &version;
    }
    return nullptr;
}

}  // namespace

Registry::Registry() {
    for (const BuiltIn& row : kBuiltIns) {
        owned_.push_back(make_built_in(row));
        owned_.back()->serial = owned_.size();
        served_.push_back(owned_.back().get());
    }
}

const ResourceType* Registry::find(std::string_view group, std::string_view version,
                                   std::string_view plural) const {
    for (const ResourceType* type : served_) {
        if (type->plural == plural && type->group == group && type->version == version) return type;
    }
    return nullptr;
}

const ResourceType* Registry::find_kind(std::string_view api_version, std::string_view kind) const {
    for (const ResourceType* type : served_) {
        if (type->kind == kind && type->api_version() == api_version) return type;
    }
    return nullptr;
}

const ResourceType* Registry::find_word(std::string_view word) const {
    const std::string wanted = lower(word);
    for (const ResourceType* type : served_) {
        if (wanted == type->plural || wanted == type->singular || wanted == type->resource_name() ||
            std::find(type->short_names.begin(), type->short_names.end(), wanted) !=
                type->short_names.end()) {
            return type;
        }
    }
    return nullptr;
}

Answer<const ResourceType*> Registry::serve_custom(const Json& definition) {
    const Json* version = storage_version(definition);
    if (!version) {
        return Refusal(
            ApiError{422, "Invalid",
                     "spec.versions: Invalid value: must have exactly one version marked as storage version",
                     nullptr, 0});
    }
    auto type = std::make_unique<ResourceType>();
    type->definition = name_of(definition);
    type->group = text_at(definition, {"spec", "group"});
    type->version = text_at(*version, {"name"});
    type->plural = text_at(definition, {"spec", "names", "plural"});
    type->kind = text_at(definition, {"spec", "names", "kind"});
    type->singular = text_at(definition, {"spec", "names", "singular"});
    if (type->singular.empty()) type->singular = lower(type->kind);
    type->list_kind = text_at(definition, {"spec", "names", "listKind"});
    if (type->list_kind.empty()) type->list_kind = type->kind + "List";
    type->short_names = texts_at(definition, {"spec", "names", "shortNames"});
    type->categories = texts_at(definition, {"spec", "names", "categories"});
    type->is_namespaced = text_at(definition, {"spec", "scope"}) == "Namespaced";
    type->is_custom = true;
    type->has_generation = true;
    type->needs_version_in_update = true;
    type->has_status = sim::find(*version, {"subresources", "status"}) != nullptr;
    if (const Json* scale = sim::find(*version, {"subresources", "scale"})) {
        type->scale = ScalePaths{parse_simple_path(text_at(*scale, {"specReplicasPath"})),
                                 parse_simple_path(text_at(*scale, {"statusReplicasPath"})),
                                 parse_simple_path(text_at(*scale, {"labelSelectorPath"}))};
    }
    for (const Json& column : array_at(*version, {"additionalPrinterColumns"})) {
        type->columns.push_back({.name = text_at(column, {"name"}),
                                 .type = text_at(column, {"type"}),
                                 .format = text_at(column, {"format"}),
                                 .description = text_at(column, {"description"}),
                                 .json_path = text_at(column, {"jsonPath"}),
                                 .priority = static_cast<int>(int_at(column, {"priority"}))});
    }
    if (type->columns.empty()) {
        type->columns.push_back({.name = "Age",
                                 .type = "date",
                                 .format = {},
                                 .description = {},
                                 .json_path = ".metadata.creationTimestamp"});
    }
    if (const Json* schema = sim::find(*version, {"schema", "openAPIV3Schema"})) {
        TRY_ANSWER(type->schema, schema_of_custom_resource(*schema));
    }
    withdraw(type->definition);
    type->serial = owned_.size() + 1;
    owned_.push_back(std::move(type));
    served_.push_back(owned_.back().get());
    return served_.back();
}

void Registry::withdraw(std::string_view definition_name) {
    std::erase_if(served_, [&](const ResourceType* type) {
        return type->is_custom && type->definition == definition_name;
    });
}

}  // namespace joiner::sim
