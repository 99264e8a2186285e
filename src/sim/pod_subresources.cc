// Binding, eviction and scale.
#include <fmt/format.h>

#include <algorithm>

#include "sim/verbs.h"

namespace joiner::sim {
namespace {

Refusal binding_conflict(std::string_view pod, const std::string& why) {
    ResourceType bindings;
    bindings.plural = "pods/binding";
    return conflict(bindings, pod, why);
}

void put_condition(Json& object, Json condition) {
    Json& conditions = at(object, {"status", "conditions"});
    if (!conditions.is_array()) conditions = Json::array();
    const auto same = std::find_if(conditions.begin(), conditions.end(), [&](const Json& each) {
        return text_at(each, {"type"}) == text_at(condition, {"type"});
    });
    if (same == conditions.end()) {
        conditions.push_back(std::move(condition));
    } else {
        *same = std::move(condition);
    }
}

// Finished, not yet started, or on its way out: no budget protects it.
bool is_beyond_budgets(const Json& pod) {
    const std::string& phase = text_at(pod, {"status", "phase"});
    return phase == "Succeeded" || phase == "Failed" || phase == "Pending" || is_deleting(pod);
}

Refusal eviction_refused(std::string_view message, const std::string& cause, int retry_after_seconds) {
    Refusal refusal = too_many_requests(std::string(message), retry_after_seconds);
    refusal.value().details = {
        {"causes", Json::array({{{"reason", "DisruptionBudget"}, {"message", cause}}})}};
    return refusal;
}

constexpr std::string_view kWouldViolate =
    "Cannot evict pod as it would violate the pod's disruption budget.";

const Json* at_path(const Json& json, const std::vector<std::string>& path) {
    const Json* found = &json;
    for (const std::string& key : path) {
        const auto member = found->is_object() ? found->find(key) : found->end();
        if (member == found->end()) return nullptr;
        found = &*member;
    }
    return found;
}

}  // namespace

Answer<void> Verbs::bind(std::string_view ns, std::string_view name, const Json& binding) {
    const ResourceType& pods = type("pods");
    const std::string& node = text_at(binding, {"target", "name"});
    const std::string& kind = text_at(binding, {"target", "kind"});
    if (!name_of(binding).empty() && name_of(binding) != name) {
        return bad_request("name in URL does not match name in Binding object");
    }
    ResourceType bindings;
    bindings.kind = "Binding";
    bindings.plural = "pods/binding";
    if (!kind.empty() && kind != "Node") {
        return invalid_object(bindings, name, {unsupported_value("target.kind", kind, {"Node", "<empty>"})});
    }
    if (node.empty()) return invalid_object(bindings, name, {required_value("target.name")});
    TRY_ANSWER(const ObjectPtr old, get(pods, ns, name));
    const Json& pod = old->json;
    const std::string& uid = uid_of(binding);
    if (!uid.empty() && uid != uid_of(pod)) {
        return conflict(pods, name,
                        fmt::format("StorageError: invalid object, Code: 4, Key: /registry/pods/{}/{}, "
                                    "ResourceVersion: 0, AdditionalErrorMsg: "
                                    "Precondition failed: UID in precondition: {}, UID in object meta: {}",
                                    ns, name, uid, uid_of(pod)));
    }
    if (is_deleting(pod))
        return binding_conflict(name,
                                fmt::format("pod {} is being deleted, cannot be assigned to a host", name));
    if (const std::string& bound = text_at(pod, {"spec", "nodeName"}); !bound.empty()) {
        return binding_conflict(name, fmt::format("pod {} is already assigned to node \"{}\"", name, bound));
    }
    if (!array_at(pod, {"spec", "schedulingGates"}).empty()) {
        return binding_conflict(name, fmt::format("pod {} has non-empty .spec.schedulingGates", name));
    }
    Json bound = pod;
    bound["spec"]["nodeName"] = node;
    for (const auto& [key, value] : object_at(binding, {"metadata", "annotations"}).items()) {
        at(bound, {"metadata", "annotations"})[key] = value;
    }
    if (const ObjectPtr target = store_.get(type("nodes"), "", node)) {
        // What the topology admission adds, so that pods can learn where they are.
        for (const char* key : {"topology.kubernetes.io/zone", "topology.kubernetes.io/region"}) {
            const std::string& value = text_at(target->json, {"metadata", "labels", key});
            if (!value.empty()) at(bound, {"metadata", "labels"})[key] = value;
        }
    }
    put_condition(bound, {{"type", "PodScheduled"},
                          {"status", "True"},
                          {"lastProbeTime", nullptr},
                          {"lastTransitionTime", format_rfc3339(loop_.now())}});
    drop(bound, {"status", "nominatedNodeName"});
    store_.put(pods, std::move(bound));
    return {};
}

Answer<void> Verbs::evict(std::string_view ns, std::string_view name, const Json& eviction) {
    const ResourceType& pods = type("pods");
    if (!name_of(eviction).empty() && name_of(eviction) != name) {
        return bad_request("name in URL does not match name in Eviction object");
    }
    TRY_ANSWER(const ObjectPtr pod, get(pods, ns, name));
    DeleteOptions options;
    options.uid = text_at(eviction, {"deleteOptions", "preconditions", "uid"});
    options.resource_version = text_at(eviction, {"deleteOptions", "preconditions", "resourceVersion"});
    if (const Json* grace = find(eviction, {"deleteOptions", "gracePeriodSeconds"}))
        options.grace_seconds = grace->get<std::int64_t>();

    if (!is_beyond_budgets(pod->json)) {
        std::vector<ObjectPtr> budgets;
        for (const ObjectPtr& budget : store_.list(type("poddisruptionbudgets"), ns)) {
            const Json* selector = find(budget->json, {"spec", "selector"});
            if (selector && matches_label_selector(*selector, object_at(pod->json, {"metadata", "labels"})))
                budgets.push_back(budget);
        }
        if (budgets.size() > 1) {
            return Refusal(ApiError{500, "",
                                    "This pod has more than one PodDisruptionBudget, which the eviction "
                                    "subresource does not support.",
                                    nullptr, 0});
        }
        if (budgets.size() == 1) {
            // Preconditions come first, so that a refused deletion takes nothing from the budget.
            Json copy = pod->json;
            bool is_gone = false;
            TRY_REFUSAL(mark_deleted(pods, copy, options, is_gone));
            TRY_REFUSAL(decrement_budget(pod, budgets.front()));
        }
    }
    const auto deletion = remove(pods, ns, name, options);
    if (!deletion) return Refusal(deletion.error());
    return {};
}

Answer<void> Verbs::decrement_budget(const ObjectPtr& pod, const ObjectPtr& budget) {
    const Json& object = budget->json;
    const std::string& name = name_of(object);
    const std::int64_t healthy = int_at(object, {"status", "currentHealthy"});
    const std::int64_t wanted = int_at(object, {"status", "desiredHealthy"});
    if (!is_condition_true(pod->json, "Ready")) {
        const bool always = text_at(object, {"spec", "unhealthyPodEvictionPolicy"}) == "AlwaysAllow";
        if (always || (healthy >= wanted && wanted > 0)) return {};
    }
    if (int_at(object, {"status", "observedGeneration"}) < int_at(object, {"metadata", "generation"})) {
        return eviction_refused(
            kWouldViolate,
            fmt::format("The disruption budget {} is still being processed by the server.", name), 10);
    }
    const std::int64_t allowed = int_at(object, {"status", "disruptionsAllowed"});
    if (allowed <= 0) {
        return eviction_refused(
            kWouldViolate,
            healthy <= wanted
                ? fmt::format("The disruption budget {} needs {} healthy pods and has {} currently", name,
                              wanted, healthy)
                : fmt::format("The disruption budget {} does not allow evicting pods currently", name),
            0);
    }
    Json updated = object;
    updated["status"]["disruptionsAllowed"] = allowed - 1;
    at(updated, {"status", "disruptedPods"})[name_of(pod->json)] = format_rfc3339(loop_.now());
    if (allowed == 1) {
        put_condition(updated, {{"type", "DisruptionAllowed"},
                                {"status", "False"},
                                {"reason", "InsufficientPods"},
                                {"message", ""},
                                {"observedGeneration", int_at(object, {"status", "observedGeneration"})},
                                {"lastTransitionTime", format_rfc3339(loop_.now())}});
    }
    store_.put(type("poddisruptionbudgets"), std::move(updated));
    return {};
}

Answer<Json> Verbs::get_scale(const ResourceType& type, std::string_view ns, std::string_view name) const {
    TRY_ANSWER(const ObjectPtr object, get(type, ns, name));
    const Json& json = object->json;
    Json scale = {{"kind", "Scale"},
                  {"apiVersion", "autoscaling/v1"},
                  {"metadata", Json::object()},
                  {"spec", Json::object()},
                  {"status", Json::object()}};
    for (const char* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
        if (const Json* value = find(json, {"metadata", field})) scale["metadata"][field] = *value;
    }
    const Json* replicas = at_path(json, type.scale->spec_replicas);
    if (replicas) scale["spec"]["replicas"] = *replicas;
    const Json* current = at_path(json, type.scale->status_replicas);
    scale["status"]["replicas"] = current ? *current : Json(0);
    if (const Json* selector = type.scale->selector.empty() ? nullptr : at_path(json, type.scale->selector)) {
        if (type.kind == "ReplicationController") {
            scale["status"]["selector"] = label_selector_text({{"matchLabels", *selector}});
        } else {
            scale["status"]["selector"] =
                selector->is_string() ? *selector : Json(label_selector_text(*selector));
        }
    }
    return scale;
}

Answer<Json> Verbs::put_scale(const ResourceType& type, std::string_view ns, std::string_view name,
                              const Json& scale, const WriteOptions& options) {
    TRY_ANSWER(const ObjectPtr old, get(type, ns, name));
    Json object = old->json;
    const std::int64_t replicas = int_at(scale, {"spec", "replicas"});
    if (replicas < 0) {
        ResourceType scales;
        scales.group = "autoscaling";
        scales.kind = "Scale";
        return invalid_object(
            scales, name, {invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")});
    }
    Json* target = &object;
    for (const std::string& key : type.scale->spec_replicas) target = &(*target)[key];
    *target = replicas;
    if (const Json* version = find(scale, {"metadata", "resourceVersion"}))
        object["metadata"]["resourceVersion"] = *version;
    TRY_REFUSAL(finish_update(type, old, "", std::move(object), options));
    return get_scale(type, ns, name);
}

}  // namespace joiner::sim
