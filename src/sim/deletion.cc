// Deletions: preconditions, grace, finalizers, and what goes with a definition.
#include <fmt/format.h>

#include <algorithm>

#include "sim/verbs.h"

namespace joiner::sim {
namespace {

std::int64_t pod_grace_seconds(const Json& pod, const DeleteOptions& options) {
    const std::string& phase = text_at(pod, {"status", "phase"});
    if (text_at(pod, {"spec", "nodeName"}).empty() || phase == "Succeeded" || phase == "Failed") return 0;
    const std::int64_t grace =
        options.grace_seconds.value_or(int_at(pod, {"spec", "terminationGracePeriodSeconds"}, 30));
    return grace < 0 ? 1 : grace;
}

Answer<void> check_preconditions(const ResourceType& type, const Json& object, const DeleteOptions& options) {
    const std::string& name = name_of(object);
    if (!options.uid.empty() && options.uid != uid_of(object)) {
        return conflict(
            type, name,
            fmt::format(
                "the UID in the precondition ({}) does not match the UID in record ({}). The object might "
                "have been deleted and then recreated",
                options.uid, uid_of(object)));
    }
    const std::string& version = text_at(object, {"metadata", "resourceVersion"});
    if (!options.resource_version.empty() && options.resource_version != version) {
        return conflict(type, name,
                        fmt::format("the ResourceVersion in the precondition ({}) does not match the "
                                    "ResourceVersion in record ({}). "
                                    "The object might have been modified",
                                    options.resource_version, version));
    }
    return {};
}

void set_propagation_finalizers(const ResourceType& type, Json& object, Propagation propagation) {
    if (propagation == Propagation::kDefault) {
        const Json& given = array_at(object, {"metadata", "finalizers"});
        const auto has = [&](const char* name) {
            return std::find(given.begin(), given.end(), name) != given.end();
        };
        if (has("orphan") || has("foregroundDeletion")) return;
        propagation = type.orphans_dependents ? Propagation::kOrphan : Propagation::kBackground;
    }
    Json finalizers = Json::array();
    for (const Json& each : array_at(object, {"metadata", "finalizers"})) {
        if (each != "orphan" && each != "foregroundDeletion") finalizers.push_back(each);
    }
    if (propagation == Propagation::kOrphan) finalizers.push_back("orphan");
    if (propagation == Propagation::kForeground) finalizers.push_back("foregroundDeletion");
    if (finalizers.empty()) {
        drop(object, {"metadata", "finalizers"});
    } else {
        object["metadata"]["finalizers"] = std::move(finalizers);
    }
}

}  // namespace

// Changes `object` into what a deletion leaves of it; `is_gone` when that is nothing.
Answer<void> Verbs::mark_deleted(const ResourceType& type, Json& object, const DeleteOptions& options,
                                 bool& is_gone) const {
    TRY_REFUSAL(check_preconditions(type, object, options));
    set_propagation_finalizers(type, object, options.propagation);
    Json& metadata = object["metadata"];
    const bool is_pod = type.kind == "Pod" && type.group.empty();
    const std::int64_t grace = is_pod ? pod_grace_seconds(object, options) : 0;
    const bool was_deleting = is_deleting(object);
    const std::int64_t grace_before = int_at(object, {"metadata", "deletionGracePeriodSeconds"});
    const bool has_finalizers =
        !array_at(object, {"metadata", "finalizers"}).empty() ||
        (type.kind == "Namespace" && !array_at(object, {"spec", "finalizers"}).empty());
    is_gone = grace == 0 && !has_finalizers;
    // A second deletion may only shorten the wait.
    if (was_deleting && (grace >= grace_before || !is_pod)) {
        is_gone = is_gone && grace_before == 0;
        return {};
    }
    metadata["deletionTimestamp"] = format_rfc3339(loop_.now() + std::chrono::seconds{grace});
    metadata["deletionGracePeriodSeconds"] = grace;
    if (metadata.contains("generation")) metadata["generation"] = int_at(metadata, {"generation"}) + 1;
    if (type.kind == "Namespace" && type.group.empty()) object["status"]["phase"] = "Terminating";
    return {};
}

Answer<Deletion> Verbs::remove(const ResourceType& type, std::string_view ns, std::string_view name,
                               const DeleteOptions& options) {
    TRY_ANSWER(const ObjectPtr old, get(type, ns, name));
    if (type.kind == "Namespace" && type.group.empty() &&
        (name == "default" || name == "kube-system" || name == "kube-public")) {
        return forbidden(type, name, "this namespace may not be deleted");
    }
    Json object = old->json;
    bool is_gone = false;
    TRY_REFUSAL(mark_deleted(type, object, options, is_gone));
    if (options.is_dry_run)
        return Deletion{std::make_shared<const Object>(std::move(object), old->version), is_gone};
    if (is_gone) return Deletion{erase(type, std::move(object)), true};
    if (object == old->json) return Deletion{old, false};
    return Deletion{store_.put(type, std::move(object)), false};
}

Answer<std::vector<ObjectPtr>> Verbs::remove_all(const ResourceType& type, std::string_view ns,
                                                 const Selector& selector, const DeleteOptions& options) {
    std::vector<ObjectPtr> removed;
    for (const ObjectPtr& object : store_.list(type, ns)) {
        if (!matches(selector, object->json)) continue;
        TRY_ANSWER(const Deletion deletion,
                   remove(type, namespace_of(object->json), name_of(object->json), options));
        removed.push_back(deletion.object);
    }
    return removed;
}

ObjectPtr Verbs::erase(const ResourceType& type, Json object) {
    if (type.kind == "CustomResourceDefinition") remove_custom_objects(object);
    const std::string ns = namespace_of(object);
    const std::string name = name_of(object);
    return store_.erase(type, ns, name, std::move(object));
}

void Verbs::remove_custom_objects(const Json& definition) {
    for (const ResourceType* type : std::vector<const ResourceType*>(registry_.types())) {
        if (!type->is_custom || type->definition != name_of(definition)) continue;
        for (const ObjectPtr& object : store_.list(*type)) {
            store_.erase(*type, namespace_of(object->json), name_of(object->json), object->json);
        }
    }
    registry_.withdraw(name_of(definition));
}

Answer<ObjectPtr> Verbs::finalize_namespace(std::string_view name, const Json& object) {
    const ResourceType& namespaces = type("namespaces");
    TRY_ANSWER(const ObjectPtr old, get(namespaces, "", name));
    Json updated = old->json;
    updated["spec"]["finalizers"] = array_at(object, {"spec", "finalizers"});
    if (updated == old->json) return old;
    const bool is_released = is_deleting(updated) && array_at(updated, {"spec", "finalizers"}).empty() &&
                             array_at(updated, {"metadata", "finalizers"}).empty();
    if (is_released) return erase(namespaces, std::move(updated));
    return store_.put(namespaces, std::move(updated));
}

}  // namespace joiner::sim
