#include "sim/kind_rules.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <map>

#include "base/quantity.h"

namespace joiner::sim {
namespace {

void canonicalise_amounts(Json& object, Path path) {
    Json* amounts = find(object, path);
    if (!amounts || !amounts->is_object()) return;
    for (Json& amount : *amounts) {
        const auto parsed = Quantity::parse(amount.is_string() ? amount.get<std::string>() : to_text(amount));
        if (parsed) amount = parsed->to_string();
    }
}

// --- nodes and namespaces

void set_node_defaults(Json& node) {
    at(node, {"spec"});
    if (node["spec"].is_null()) node["spec"] = Json::object();
    if (find(node, {"status", "capacity"}) && !find(node, {"status", "allocatable"})) {
        node["status"]["allocatable"] = node["status"]["capacity"];
    }
    canonicalise_amounts(node, {"status", "capacity"});
    canonicalise_amounts(node, {"status", "allocatable"});
}

Answer<void> admit_node(Json& node, const AdmissionContext&) {
    Json& taints = at(node, {"spec", "taints"});
    if (!taints.is_array()) taints = Json::array();
    for (const Json& taint : taints) {
        if (text_at(taint, {"key"}) == "node.kubernetes.io/not-ready" &&
            text_at(taint, {"effect"}) == "NoSchedule")
            return {};
    }
    taints.push_back({{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}});
    return {};
}

void validate_taints(const Json& taints, const std::string& path, FieldProblems& problems) {
    std::map<std::pair<std::string, std::string>, int> seen;
    std::size_t index = 0;
    for (const Json& taint : taints) {
        const std::string at_taint = fmt::format("{}[{}]", path, index++);
        const std::string& effect = text_at(taint, {"effect"});
        if (effect.empty()) {
            problems.push_back(required_value(at_taint + ".effect"));
        } else if (effect != "NoSchedule" && effect != "PreferNoSchedule" && effect != "NoExecute") {
            problems.push_back(unsupported_value(at_taint + ".effect", effect,
                                                 {"NoSchedule", "PreferNoSchedule", "NoExecute"}));
        }
        if (seen[{text_at(taint, {"key"}), effect}]++ > 0)
            problems.push_back(duplicate_value(at_taint, taint));
    }
}

void validate_node(const Json& node, const Json* old, FieldProblems& problems) {
    validate_taints(array_at(node, {"spec", "taints"}), "metadata.taints",
                    problems);  // As the real server says it.
    const std::string& before = old ? text_at(*old, {"spec", "providerID"}) : "";
    if (!before.empty() && text_at(node, {"spec", "providerID"}) != before) {
        problems.push_back(forbidden_value(
            "spec.providerID", "node updates may not change providerID except from \"\" to valid"));
    }
}

Answer<void> admit_namespace(Json& ns, const AdmissionContext&) {
    ns["spec"] = {{"finalizers", {"kubernetes"}}};
    ns["status"] = {{"phase", "Active"}};
    at(ns, {"metadata", "labels"})["kubernetes.io/metadata.name"] = name_of(ns);
    return {};
}

// --- services, storage, policy, scheduling

void set_service_defaults(Json& service) {
    Json& spec = at(service, {"spec"});
    if (spec.is_null()) spec = Json::object();
    set_default(spec, "type", "ClusterIP");
    set_default(spec, "sessionAffinity", "None");
    set_default(spec, "internalTrafficPolicy", "Cluster");
    if (Json* ports = find(spec, {"ports"}); ports && ports->is_array()) {
        for (Json& port : *ports) {
            set_default(port, "protocol", "TCP");
            set_default(port, "targetPort", port.value("port", Json()));
        }
    }
}

Answer<void> admit_service(Json& service, const AdmissionContext& context) {
    Json& spec = service["spec"];
    if (text_at(spec, {"type"}) != "ExternalName" && text_at(spec, {"clusterIP"}).empty()) {
        const std::uint64_t n = context.store.next_version();
        spec["clusterIP"] = fmt::format("10.{}.{}.{}", 96 + (n >> 16) % 16, (n >> 8) & 255, n & 255);
        spec["clusterIPs"] = Json::array({spec["clusterIP"]});
    }
    service["status"] = {{"loadBalancer", Json::object()}};
    return {};
}

Answer<void> admit_claim(Json& claim, const AdmissionContext& context) {
    claim["status"] = {{"phase", "Pending"}};
    if (find(claim, {"spec", "storageClassName"})) return {};
    for (const ObjectPtr& each :
         context.store.list(*context.registry.find("storage.k8s.io", "v1", "storageclasses"))) {
        const Json& annotations = object_at(each->json, {"metadata", "annotations"});
        if (text_at(annotations, {"storageclass.kubernetes.io/is-default-class"}) == "true") {
            claim["spec"]["storageClassName"] = name_of(each->json);
        }
    }
    return {};
}

void set_claim_defaults(Json& claim) {
    set_default(at(claim, {"spec"}), "volumeMode", "Filesystem");
    canonicalise_amounts(claim, {"spec", "resources", "requests"});
}

void set_volume_defaults(Json& volume) {
    set_default(at(volume, {"spec"}), "volumeMode", "Filesystem");
    set_default(volume["spec"], "persistentVolumeReclaimPolicy", "Retain");
}

Answer<void> admit_volume(Json& volume, const AdmissionContext&) {
    volume["status"] = {{"phase", "Available"}};
    return {};
}

void set_storage_class_defaults(Json& object) {
    set_default(object, "reclaimPolicy", "Delete");
    set_default(object, "volumeBindingMode", "Immediate");
}

void set_priority_class_defaults(Json& object) {
    set_default(object, "preemptionPolicy", "PreemptLowerPriority");
}

void validate_priority_class(const Json& object, const Json* old, FieldProblems& problems) {
    if (old && int_at(object, {"value"}) != int_at(*old, {"value"})) {
        problems.push_back(forbidden_value("value", "may not be changed in an update."));
    }
}

Answer<void> admit_budget(Json& budget, const AdmissionContext&) {
    budget["status"] = {
        {"currentHealthy", 0}, {"desiredHealthy", 0}, {"disruptionsAllowed", 0}, {"expectedPods", 0}};
    return {};
}

void validate_budget(const Json& budget, const Json*, FieldProblems& problems) {
    if (find(budget, {"spec", "minAvailable"}) && find(budget, {"spec", "maxUnavailable"})) {
        problems.push_back(
            invalid_value("spec", budget["spec"], "minAvailable and maxUnavailable cannot be both set"));
    }
}

void set_secret_defaults(Json& object) {
    set_default(object, "type", "Opaque");
}

void set_template_defaults(Json& object) {
    if (Json* spec = find(object, {"template", "spec"})) set_pod_spec_defaults(*spec);
}

// --- custom resource definitions

void set_definition_defaults(Json& definition) {
    Json& names = at(definition, {"spec", "names"});
    const std::string kind = text_at(names, {"kind"});
    std::string singular = kind;
    for (char& c : singular) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    set_default(names, "singular", singular);
    set_default(names, "listKind", kind + "List");
    set_default(definition["spec"], "conversion", {{"strategy", "None"}});
}

Answer<void> admit_definition(Json& definition, const AdmissionContext& context) {
    const std::string now = format_rfc3339(context.now);
    Json versions = Json::array();
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        if (flag_at(version, {"storage"})) versions.push_back(text_at(version, {"name"}));
    }
    const auto condition = [&](const char* type, const char* reason, const char* message) {
        return Json{{"type", type},
                    {"status", "True"},
                    {"reason", reason},
                    {"message", message},
                    {"lastTransitionTime", now}};
    };
    definition["status"] = {
        {"acceptedNames", definition["spec"]["names"]},
        {"storedVersions", versions},
        {"conditions",
         {condition("NamesAccepted", "NoConflicts", "no conflicts found"),
          condition("Established", "InitialNamesAccepted", "the initial names have been accepted")}}};
    return {};
}

void validate_definition(const Json& definition, const Json* old, FieldProblems& problems) {
    const std::string& plural = text_at(definition, {"spec", "names", "plural"});
    const std::string& group = text_at(definition, {"spec", "group"});
    if (group.empty()) problems.push_back(required_value("spec.group"));
    if (plural.empty()) problems.push_back(required_value("spec.names.plural"));
    if (text_at(definition, {"spec", "names", "kind"}).empty())
        problems.push_back(required_value("spec.names.kind"));
    if (name_of(definition) != plural + "." + group) {
        problems.push_back(invalid_value("metadata.name", name_of(definition),
                                         "must be spec.names.plural+\".\"+spec.group"));
    }
    const std::string& scope = text_at(definition, {"spec", "scope"});
    if (scope != "Namespaced" && scope != "Cluster") {
        problems.push_back(unsupported_value("spec.scope", scope, {"Cluster", "Namespaced"}));
    }
    if (old && scope != text_at(*old, {"spec", "scope"})) {
        problems.push_back(invalid_value("spec.scope", scope, "field is immutable"));
    }
    std::size_t index = 0;
    for (const Json& version : array_at(definition, {"spec", "versions"})) {
        if (!find(version, {"schema", "openAPIV3Schema"})) {
            problems.push_back(required_value(fmt::format("spec.versions[{}].schema.openAPIV3Schema", index),
                                              "schemas are required"));
        }
        ++index;
    }
}

const std::map<std::string_view, KindRules>& table() {
    static const KindRules kWorkload{.set_defaults = set_workload_defaults, .validate = validate_workload};
    static const std::map<std::string_view, KindRules> kTable = {
        {"pods", {.set_defaults = set_pod_defaults, .admit_create = admit_pod, .validate = validate_pod}},
        {"nodes",
         {.set_defaults = set_node_defaults,
          .admit_create = admit_node,
          .validate = validate_node,
          .keeps_status_on_create = true}},
        {"namespaces", {.admit_create = admit_namespace}},
        {"services", {.set_defaults = set_service_defaults, .admit_create = admit_service}},
        {"secrets", {.set_defaults = set_secret_defaults}},
        {"podtemplates", {.set_defaults = set_template_defaults}},
        {"persistentvolumeclaims", {.set_defaults = set_claim_defaults, .admit_create = admit_claim}},
        {"persistentvolumes", {.set_defaults = set_volume_defaults, .admit_create = admit_volume}},
        {"deployments.apps", kWorkload},
        {"replicasets.apps", kWorkload},
        {"statefulsets.apps", kWorkload},
        {"daemonsets.apps", kWorkload},
        {"replicationcontrollers", kWorkload},
        {"jobs.batch",
         {.set_defaults = set_workload_defaults, .admit_create = admit_job, .validate = validate_workload}},
        {"poddisruptionbudgets.policy", {.admit_create = admit_budget, .validate = validate_budget}},
        {"storageclasses.storage.k8s.io", {.set_defaults = set_storage_class_defaults}},
        {"priorityclasses.scheduling.k8s.io",
         {.set_defaults = set_priority_class_defaults, .validate = validate_priority_class}},
        {"customresourcedefinitions.apiextensions.k8s.io",
         {.set_defaults = set_definition_defaults,
          .admit_create = admit_definition,
          .validate = validate_definition}},
    };
    return kTable;
}

}  // namespace

const KindRules& rules_of(const ResourceType& type) {
    static const KindRules kNone;
    if (type.is_custom) return kNone;
    const auto found = table().find(type.resource_name());
    return found == table().end() ? kNone : found->second;
}

void validate_metadata(const ResourceType& type, const Json& object, FieldProblems& problems) {
    static const re2::RE2 kSubdomain("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");
    static const re2::RE2 kLabelValue("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?");
    static const re2::RE2 kQualifiedName(
        "([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/"
        ")?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]");
    const std::string& name = name_of(object);
    if (name.size() > 253 || !re2::RE2::FullMatch(name, kSubdomain)) {
        problems.push_back(invalid_value("metadata.name", name,
                                         "must be a lowercase RFC 1123 subdomain of at most 253 characters"));
    }
    if (type.is_namespaced && namespace_of(object).empty())
        problems.push_back(required_value("metadata.namespace"));
    for (const auto& [key, value] : object_at(object, {"metadata", "labels"}).items()) {
        if (!re2::RE2::FullMatch(key, kQualifiedName)) {
            problems.push_back(invalid_value("metadata.labels", key, "name part must be a qualified name"));
        }
        const std::string text = value.is_string() ? value.get<std::string>() : "";
        if (text.size() > 63 || !re2::RE2::FullMatch(text, kLabelValue)) {
            problems.push_back(invalid_value("metadata.labels", text,
                                             "must be a valid label value of at most 63 characters"));
        }
    }
    for (const Json& owner : array_at(object, {"metadata", "ownerReferences"})) {
        for (const char* field : {"apiVersion", "kind", "name", "uid"}) {
            if (text_at(owner, {field}).empty()) {
                problems.push_back(invalid_value(fmt::format("metadata.ownerReferences.{}", field), "",
                                                 "must not be empty"));
            }
        }
    }
}

}  // namespace joiner::sim
