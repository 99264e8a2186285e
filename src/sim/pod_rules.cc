#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/quantity.h"
#include "sim/kind_rules.h"

namespace joiner::sim {
namespace {

Quantity quantity_of(const Json& value) {
    const auto parsed = Quantity::parse(value.is_string() ? value.get<std::string>() : to_text(value));
    return parsed ? *parsed : Quantity{};
}

// "1000m" becomes "1", as everything that went through a server's types.
void canonicalise(Json& amounts) {
    if (!amounts.is_object()) return;
    for (Json& amount : amounts) {
        const auto parsed = Quantity::parse(amount.is_string() ? amount.get<std::string>() : to_text(amount));
        if (parsed) amount = parsed->to_string();
    }
}

void set_container_defaults(Json& container) {
    const std::string& image = text_at(container, {"image"});
    const std::size_t colon = image.rfind(':');
    const bool is_latest = image.find('@') == std::string::npos &&
                           (colon == std::string::npos || image.find('/', colon) != std::string::npos ||
                            image.ends_with(":latest"));
    set_default(container, "imagePullPolicy", is_latest ? "Always" : "IfNotPresent");
    set_default(container, "terminationMessagePath", "/dev/termination-log");
    set_default(container, "terminationMessagePolicy", "File");
    set_default(container, "resources", Json::object());
    Json& resources = container["resources"];
    for (const char* list : {"limits", "requests"}) {
        if (Json* amounts = find(resources, {list})) canonicalise(*amounts);
    }
    for (const auto& [name, limit] : object_at(resources, {"limits"}).items()) {
        if (!object_at(resources, {"requests"}).contains(name))
            at(resources, {"requests"})[name] = Json(limit);
    }
    if (Json* ports = find(container, {"ports"}); ports && ports->is_array()) {
        for (Json& port : *ports) set_default(port, "protocol", "TCP");
    }
    for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
        Json* each = find(container, {probe});
        if (!each) continue;
        set_default(*each, "timeoutSeconds", 1);
        set_default(*each, "periodSeconds", 10);
        set_default(*each, "successThreshold", 1);
        set_default(*each, "failureThreshold", 3);
    }
}

template <typename Visit>
void each_container(Json& spec, Visit visit) {
    for (const char* list : {"containers", "initContainers"}) {
        Json* containers = find(spec, {list});
        if (!containers || !containers->is_array()) continue;
        for (Json& container : *containers) {
            if (container.is_object()) visit(container);
        }
    }
}

void add_toleration(Json& spec, std::string_view key) {
    for (const Json& toleration : array_at(spec, {"tolerations"})) {
        const bool same_key = text_at(toleration, {"key"}) == key || text_at(toleration, {"key"}).empty();
        const std::string& effect = text_at(toleration, {"effect"});
        if (same_key && (effect == "NoExecute" || effect.empty())) return;
    }
    at(spec, {"tolerations"})
        .push_back(
            {{"key", key}, {"operator", "Exists"}, {"effect", "NoExecute"}, {"tolerationSeconds", 300}});
}

const Json* default_priority_class(const AdmissionContext& context, const ResourceType& type,
                                   ObjectPtr& keep) {
    for (const ObjectPtr& each : context.store.list(type)) {
        if (flag_at(each->json, {"globalDefault"})) {
            keep = each;
            return &each->json;
        }
    }
    return nullptr;
}

Answer<void> admit_priority(Json& spec, const std::string& pod_name, const AdmissionContext& context) {
    const ResourceType& pods = *context.registry.find("", "v1", "pods");
    const ResourceType& classes = *context.registry.find("scheduling.k8s.io", "v1", "priorityclasses");
    const std::string name = text_at(spec, {"priorityClassName"});
    ObjectPtr keep;
    const Json* chosen = nullptr;
    if (name.empty()) {
        chosen = default_priority_class(context, classes, keep);
        if (chosen) spec["priorityClassName"] = name_of(*chosen);
    } else {
        keep = context.store.get(classes, "", name);
        if (!keep)
            return forbidden(pods, pod_name, fmt::format("no PriorityClass with name {} was found", name));
        chosen = &keep->json;
    }
    const std::int64_t value = chosen ? int_at(*chosen, {"value"}) : 0;
    const std::string policy = chosen ? text_at(*chosen, {"preemptionPolicy"}) : "";
    if (const Json* given = find(spec, {"priority"}); given && *given != value) {
        return forbidden(
            pods, pod_name,
            fmt::format(
                "the integer value of priority ({}) must not be provided in pod spec; priority admission "
                "controller computed {} from the given PriorityClass name",
                to_text(*given), value));
    }
    spec["priority"] = value;
    set_default(spec, "preemptionPolicy", policy.empty() ? "PreemptLowerPriority" : policy);
    return {};
}

Answer<void> admit_runtime_class(Json& spec, const std::string& pod_name, const AdmissionContext& context) {
    const std::string& name = text_at(spec, {"runtimeClassName"});
    if (name.empty()) return {};
    const ObjectPtr runtime =
        context.store.get(*context.registry.find("node.k8s.io", "v1", "runtimeclasses"), "", name);
    if (!runtime) {
        return forbidden(*context.registry.find("", "v1", "pods"), pod_name,
                         fmt::format("pod rejected: RuntimeClass \"{}\" not found", name));
    }
    if (const Json* overhead = find(runtime->json, {"overhead", "podFixed"})) spec["overhead"] = *overhead;
    for (const auto& [key, value] : object_at(runtime->json, {"scheduling", "nodeSelector"}).items()) {
        at(spec, {"nodeSelector"})[key] = value;
    }
    for (const Json& toleration : array_at(runtime->json, {"scheduling", "tolerations"})) {
        at(spec, {"tolerations"}).push_back(toleration);
    }
    return {};
}

// What an update of a pod may change, made alike on both sides.
Json without_changeable_fields(Json spec) {
    each_container(spec, [](Json& container) { container.erase("image"); });
    for (const char* field : {"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"})
        spec.erase(field);
    return spec;
}

// Whole things that pods do not share: "nvidia.com/gpu", not "cpu" nor "kubernetes.io/batch-cpu".
bool is_device(std::string_view resource) {
    const std::size_t slash = resource.find('/');
    if (slash == std::string_view::npos) return resource.starts_with("hugepages-");
    return resource.substr(0, slash).find("kubernetes.io") == std::string_view::npos;
}

bool has_scheduling_gates(const Json& pod) {
    return !array_at(pod, {"spec", "schedulingGates"}).empty();
}

void validate_pod_update(const Json& pod, const Json& old, FieldProblems& problems) {
    Json now = without_changeable_fields(pod["spec"]);
    Json before = without_changeable_fields(old["spec"]);
    for (const Json& toleration : array_at(old, {"spec", "tolerations"})) {
        const Json& tolerations = array_at(pod, {"spec", "tolerations"});
        const bool is_kept = std::any_of(tolerations.begin(), tolerations.end(), [&](Json each) {
            each["tolerationSeconds"] = toleration.value("tolerationSeconds", Json());
            Json copy = toleration;
            copy["tolerationSeconds"] = copy.value("tolerationSeconds", Json());
            return each == copy;
        });
        if (!is_kept) {
            problems.push_back(forbidden_value(
                "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"));
            break;
        }
    }
    const bool was_gated = has_scheduling_gates(old);
    const Json& gates = array_at(pod, {"spec", "schedulingGates"});
    const Json& old_gates = array_at(old, {"spec", "schedulingGates"});
    const bool adds_gate = std::any_of(gates.begin(), gates.end(), [&](const Json& gate) {
        return std::find(old_gates.begin(), old_gates.end(), gate) == old_gates.end();
    });
    if (adds_gate) problems.push_back(forbidden_value("spec.schedulingGates", "only deletion is allowed"));
    for (Json* each : {&now, &before}) {
        each->erase("schedulingGates");
        // A gated pod may still be narrowed down to some nodes.
        if (was_gated) each->erase("nodeSelector");
        if (was_gated) drop(*each, {"affinity", "nodeAffinity"});
        if (was_gated && each->contains("affinity") && (*each)["affinity"].empty()) each->erase("affinity");
    }
    if (now != before) {
        problems.push_back(forbidden_value("spec",
                                           "pod updates may not change fields other than images, "
                                           "`spec.activeDeadlineSeconds`, `spec.tolerations` "
                                           "(additions) and `spec.terminationGracePeriodSeconds`"));
    }
}

}  // namespace

void set_pod_spec_defaults(Json& spec) {
    set_default(spec, "dnsPolicy", "ClusterFirst");
    set_default(spec, "restartPolicy", "Always");
    set_default(spec, "schedulerName", "default-scheduler");
    set_default(spec, "terminationGracePeriodSeconds", 30);
    set_default(spec, "securityContext", Json::object());
    each_container(spec, set_container_defaults);
    if (const std::string account = text_at(spec, {"serviceAccountName"}); !account.empty()) {
        set_default(spec, "serviceAccount", account);
    }
    if (flag_at(spec, {"hostNetwork"})) {
        each_container(spec, [](Json& container) {
            if (Json* ports = find(container, {"ports"}); ports && ports->is_array()) {
                for (Json& port : *ports) set_default(port, "hostPort", port.value("containerPort", Json()));
            }
        });
    }
}

void set_pod_defaults(Json& pod) {
    Json& spec = at(pod, {"spec"});
    if (!spec.is_object()) spec = Json::object();
    set_pod_spec_defaults(spec);
    set_default(spec, "enableServiceLinks", true);
}

std::string_view quality_of_service(const Json& spec) {
    bool any = false;
    bool guaranteed = true;
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : array_at(spec, {list})) {
            for (const char* name : {"cpu", "memory"}) {
                const Json* request = find(container, {"resources", "requests", name});
                const Json* limit = find(container, {"resources", "limits", name});
                any = any || (request && !quantity_of(*request).is_zero()) ||
                      (limit && !quantity_of(*limit).is_zero());
                guaranteed = guaranteed && limit && request && quantity_of(*request) == quantity_of(*limit);
            }
        }
    }
    return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable";
}

Answer<void> admit_pod(Json& pod, const AdmissionContext& context) {
    Json& spec = pod["spec"];
    const std::string name = name_of(pod);
    TRY_REFUSAL(admit_priority(spec, name, context));
    TRY_REFUSAL(admit_runtime_class(spec, name, context));
    add_toleration(spec, "node.kubernetes.io/not-ready");
    add_toleration(spec, "node.kubernetes.io/unreachable");
    pod["status"] = {{"phase", "Pending"}, {"qosClass", quality_of_service(spec)}};
    if (has_scheduling_gates(pod)) {
        pod["status"]["conditions"] =
            Json::array({{{"type", "PodScheduled"},
                          {"status", "False"},
                          {"reason", "SchedulingGated"},
                          {"message", "Scheduling is blocked due to non-empty scheduling gates"},
                          {"lastProbeTime", nullptr},
                          {"lastTransitionTime", format_rfc3339(context.now)}}});
    }
    return {};
}

void validate_pod_spec(const Json& spec, const std::string& path, FieldProblems& problems) {
    if (array_at(spec, {"containers"}).empty()) problems.push_back(required_value(path + ".containers"));
    std::set<std::string> names;
    for (const char* list : {"containers", "initContainers"}) {
        std::size_t index = 0;
        for (const Json& container : array_at(spec, {list})) {
            const std::string at_container = fmt::format("{}.{}[{}]", path, list, index++);
            const std::string& name = text_at(container, {"name"});
            if (name.empty()) problems.push_back(required_value(at_container + ".name"));
            if (!name.empty() && !names.insert(name).second)
                problems.push_back(duplicate_value(at_container + ".name", name));
            if (text_at(container, {"image"}).empty())
                problems.push_back(required_value(at_container + ".image"));
            for (const char* amounts : {"limits", "requests"}) {
                for (const auto& [resource, amount] : object_at(container, {"resources", amounts}).items()) {
                    if (quantity_of(amount).is_negative())
                        problems.push_back(
                            invalid_value(fmt::format("{}.resources.{}[{}]", at_container, amounts, resource),
                                          amount, "must be greater than or equal to 0"));
                }
            }
            for (const auto& [resource, limit] : object_at(container, {"resources", "limits"}).items()) {
                const Json* request = find(container, {"resources", "requests", resource});
                if (request && quantity_of(*request) > quantity_of(limit)) {
                    problems.push_back(
                        invalid_value(at_container + ".resources.requests", *request,
                                      fmt::format("must be less than or equal to {} limit of {}", resource,
                                                  quantity_of(limit).to_string())));
                } else if (is_device(resource) && !(request && quantity_of(*request) == quantity_of(limit))) {
                    problems.push_back(invalid_value(at_container + ".resources.requests",
                                                     request ? *request : Json("0"),
                                                     fmt::format("must be equal to {} limit of {}", resource,
                                                                 quantity_of(limit).to_string())));
                }
            }
            for (const auto& [resource, request] : object_at(container, {"resources", "requests"}).items()) {
                if (is_device(resource) && !object_at(container, {"resources", "limits"}).contains(resource))
                    problems.push_back(required_value(at_container + ".resources.limits",
                                                      "Limit must be set for non overcommitable resources"));
            }
        }
    }
    validate_scheduling(spec, path, problems);
}

void validate_pod(const Json& pod, const Json* old, FieldProblems& problems) {
    if (old) {
        validate_pod_update(pod, *old, problems);
        return;
    }
    validate_pod_spec(pod["spec"], "spec", problems);
    if (has_scheduling_gates(pod) && find(pod, {"spec", "nodeName"})) {
        problems.push_back(
            forbidden_value("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
    }
}

}  // namespace joiner::sim
