#include "sim/verbs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace joiner::sim {
namespace {

// Nobody but the server writes these; an object on the way in keeps what the stored one has.
constexpr const char* kServerFields[] = {
    "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "generation", "resourceVersion",   "namespace"};

void take_server_fields(Json& object, const Json& old) {
    Json& metadata = at(object, {"metadata"});
    for (const char* field : kServerFields) {
        const Json* before = find(old, {"metadata", field});
        if (before) {
            metadata[field] = *before;
        } else {
            metadata.erase(field);
        }
    }
}

void drop_noise(Json& object) {
    Json& metadata = at(object, {"metadata"});
    metadata.erase("managedFields");
    metadata.erase("selfLink");
    for (const char* map : {"labels", "annotations", "ownerReferences", "finalizers"}) {
        if (const auto member = metadata.find(map); member != metadata.end() && member->empty())
            metadata.erase(member);
    }
}

// A status write changes the status, and of the metadata only what the kind lets it.
void keep_all_but_status(const ResourceType& type, Json& object, const Json& old) {
    Json result = old;
    if (const auto status = object.find("status"); status != object.end()) {
        result["status"] = std::move(*status);
    } else {
        result.erase("status");
    }
    const bool may_change_metadata = !type.is_custom && type.group.empty();
    if (may_change_metadata) {
        Json owners = at(result, {"metadata"}).value("ownerReferences", Json());
        result["metadata"] = std::move(object["metadata"]);
        if (owners.is_null()) {
            result["metadata"].erase("ownerReferences");
        } else {
            result["metadata"]["ownerReferences"] = std::move(owners);
        }
    } else if (!type.is_custom && object["metadata"].contains("annotations")) {
        result["metadata"]["annotations"] = std::move(object["metadata"]["annotations"]);
    }
    object = std::move(result);
}

void keep_status(Json& object, const Json& old) {
    if (const auto status = old.find("status"); status != old.end()) {
        object["status"] = *status;
    } else {
        object.erase("status");
    }
}

bool has_same_spec(const ResourceType& type, const Json& a, const Json& b) {
    const auto is_compared = [&](const std::string& key) {
        return key != "metadata" && !(key == "status" && (type.has_status || !type.is_custom));
    };
    for (const auto& [key, value] : a.items()) {
        if (is_compared(key) && (!b.contains(key) || b[key] != value)) return false;
    }
    for (const auto& [key, value] : b.items()) {
        if (is_compared(key) && !a.contains(key)) return false;
    }
    return true;
}

FieldProblems new_finalizers(const Json& object, const Json& old) {
    const Json& before = array_at(old, {"metadata", "finalizers"});
    for (const Json& finalizer : array_at(object, {"metadata", "finalizers"})) {
        if (std::find(before.begin(), before.end(), finalizer) == before.end()) {
            return {forbidden_value("metadata.finalizers",
                                    "no new finalizers can be added if the object is being deleted, found " +
                                        to_text(finalizer))};
        }
    }
    return {};
}

}  // namespace

Verbs::Verbs(io::Loop& loop, Store& store, Registry& registry, std::uint64_t seed)
    : loop_(loop), store_(store), registry_(registry), rng_(seed) {}

const ResourceType& Verbs::type(std::string_view resource_name) const {
    const ResourceType* found = registry_.find_word(resource_name);
    CHECK(found != nullptr);
    return *found;
}

std::string Verbs::new_uid() {
    const std::uint64_t a = rng_.next();
    const std::uint64_t b = rng_.next();
    return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xffff, a & 0xfff,
                       0x8000 | ((b >> 48) & 0x3fff), b & 0xffffffffffff);
}

std::string Verbs::generated_name(std::string_view prefix) {
    static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
    std::string name(prefix.substr(0, 58));
    for (int i = 0; i < 5; ++i) name += kLetters[rng_.below(kLetters.size())];
    return name;
}

Answer<ObjectPtr> Verbs::get(const ResourceType& type, std::string_view ns, std::string_view name) const {
    if (ObjectPtr object = store_.get(type, ns, name)) return object;
    return not_found(type, name);
}

// --- what every write goes through

Answer<void> Verbs::decode(const ResourceType& type, Json& object, const WriteOptions& options) const {
    if (!object.is_object()) return bad_request("the body is not an object");
    const std::string& api_version = text_at(object, {"apiVersion"});
    const std::string& kind = text_at(object, {"kind"});
    if (!api_version.empty() && api_version != type.api_version()) {
        return bad_request(
            fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                        api_version, type.api_version()));
    }
    if (!kind.empty() && kind != type.kind) {
        return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}: unexpected kind",
                                       kind, type.version, type.kind));
    }
    object["apiVersion"] = type.api_version();
    object["kind"] = type.kind;
    if (!at(object, {"metadata"}).is_object()) object["metadata"] = Json::object();
    drop_noise(object);
    if (!type.schema.root) return {};
    if (!type.is_custom) {
        const std::string mismatch = find_type_mismatch(*type.schema.root, object, type.kind);
        if (!mismatch.empty()) {
            return bad_request(fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: {2}",
                                           type.kind, type.version, mismatch));
        }
    }
    std::vector<std::string> unknown;
    const bool asks_for_unknown = options.is_strict || options.unknown;
    prune(*type.schema.root, object, asks_for_unknown ? &unknown : nullptr);
    if (options.is_strict && !unknown.empty()) {
        std::string text;
        for (const std::string& path : unknown)
            text += fmt::format("{}unknown field \"{}\"", text.empty() ? "" : ", ", path);
        text = "strict decoding error: " + text;
        if (!type.is_custom) {
            text = fmt::format("{0} in version \"{1}\" cannot be handled as a {0}: {2}", type.kind,
                               type.version, text);
        }
        return bad_request(text);
    }
    if (options.unknown) *options.unknown = std::move(unknown);
    if (type.is_custom) apply_defaults(*type.schema.root, object);
    return {};
}

Answer<void> Verbs::check_identity(const ResourceType& type, std::string_view ns, std::string_view name,
                                   Json& object) const {
    Json& metadata = object["metadata"];
    if (!namespace_of(object).empty() && namespace_of(object) != ns) {
        return bad_request(
            "the namespace of the provided object does not match the namespace sent on the request");
    }
    if (type.is_namespaced) metadata["namespace"] = ns;
    if (name.empty()) return {};
    if (name_of(object).empty()) metadata["name"] = name;
    if (name_of(object) != name) {
        return bad_request(fmt::format("the name of the object ({}) does not match the name on the URL ({})",
                                       name_of(object), name));
    }
    return {};
}

Answer<void> Verbs::check_namespace(const ResourceType& type, std::string_view ns,
                                    std::string_view name) const {
    if (!type.is_namespaced) return {};
    const ResourceType& namespaces = this->type("namespaces");
    const ObjectPtr found = store_.get(namespaces, "", ns);
    if (!found) return not_found(namespaces, ns);
    if (text_at(found->json, {"status", "phase"}) == "Terminating") {
        return forbidden(
            type, name,
            fmt::format("unable to create new content in namespace {} because it is being terminated", ns));
    }
    return {};
}

Answer<ObjectPtr> Verbs::commit(const ResourceType& type, Json object, const WriteOptions& options) {
    if (options.is_dry_run) return std::make_shared<const Object>(std::move(object), store_.version());
    if (type.kind == "CustomResourceDefinition") TRY_REFUSAL(registry_.serve_custom(object));
    return store_.put(type, std::move(object));
}

// --- create

Answer<ObjectPtr> Verbs::create(const ResourceType& type, std::string_view ns, Json object,
                                const WriteOptions& options) {
    TRY_REFUSAL(decode(type, object, options));
    TRY_REFUSAL(check_identity(type, ns, {}, object));
    Json& metadata = object["metadata"];
    const std::string prefix = text_at(metadata, {"generateName"});
    const bool is_generated = name_of(object).empty() && !prefix.empty();
    if (name_of(object).empty() && !is_generated) {
        return invalid_object(type, "",
                              {required_value("metadata.name", "name or generateName is required")});
    }
    if (is_generated) {
        do {
            metadata["name"] = generated_name(prefix);
        } while (store_.get(type, ns, name_of(object)));
    }
    const std::string name = name_of(object);
    TRY_REFUSAL(check_namespace(type, ns, name));
    if (find(metadata, {"resourceVersion"}) && !text_at(metadata, {"resourceVersion"}).empty()) {
        return Refusal(
            ApiError{500, "", "resourceVersion should not be set on objects to be created", nullptr, 0});
    }
    for (const char* field : kServerFields) {
        if (std::string_view(field) != "namespace") metadata.erase(field);
    }
    metadata["uid"] = new_uid();
    metadata["creationTimestamp"] = format_rfc3339(loop_.now());
    if (type.has_generation) metadata["generation"] = 1;

    const KindRules& rules = rules_of(type);
    if (type.has_status && !rules.keeps_status_on_create) object.erase("status");
    if (rules.set_defaults) rules.set_defaults(object);
    if (rules.admit_create) TRY_REFUSAL(rules.admit_create(object, admission()));
    FieldProblems problems;
    validate_metadata(type, object, problems);
    if (rules.validate) rules.validate(object, nullptr, problems);
    if (type.is_custom && type.schema.root) {
        apply_defaults(*type.schema.root, object);
        for (FieldProblem& problem : validate(*type.schema.root, object, nullptr))
            problems.push_back(std::move(problem));
    }
    if (!type.is_custom && type.schema.root) fill_required_scalars(*type.schema.root, object);
    if (!problems.empty()) return invalid_object(type, name, problems);
    if (store_.get(type, ns, name)) return already_exists(type, name);
    return commit(type, std::move(object), options);
}

// --- update

Answer<ObjectPtr> Verbs::update(const ResourceType& type, std::string_view ns, std::string_view name,
                                std::string_view subresource, Json object, const WriteOptions& options,
                                bool* was_created) {
    const ObjectPtr old = store_.get(type, ns, name);
    if (!old) {
        if (!type.may_create_by_update || !subresource.empty()) return not_found(type, name);
        if (was_created) *was_created = true;
        at(object, {"metadata"})["name"] = name;
        drop(object, {"metadata", "resourceVersion"});
        return create(type, ns, std::move(object), options);
    }
    TRY_REFUSAL(decode(type, object, options));
    TRY_REFUSAL(check_identity(type, ns, name, object));
    if (type.needs_version_in_update && text_at(object, {"metadata", "resourceVersion"}).empty()) {
        // The one refusal that names the resource where others name the kind.
        ResourceType named = type;
        named.kind = type.plural;
        return invalid_object(
            named, name, {invalid_value("metadata.resourceVersion", 0, "must be specified for an update")});
    }
    return finish_update(type, old, subresource, std::move(object), options);
}

Answer<ObjectPtr> Verbs::finish_update(const ResourceType& type, const ObjectPtr& old,
                                       std::string_view subresource, Json object,
                                       const WriteOptions& options) {
    const std::string name = name_of(old->json);
    const std::string& uid = text_at(object, {"metadata", "uid"});
    if (!uid.empty() && uid != uid_of(old->json)) {
        return conflict(type, name,
                        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}",
                                    uid, uid_of(old->json)));
    }
    const std::string& version = text_at(object, {"metadata", "resourceVersion"});
    if (!version.empty() && version != "0" &&
        version != text_at(old->json, {"metadata", "resourceVersion"})) {
        return conflict(type, name, kObjectModified);
    }
    take_server_fields(object, old->json);
    const KindRules& rules = rules_of(type);
    const bool is_status = subresource == "status";
    if (is_status) {
        keep_all_but_status(type, object, old->json);
    } else if (type.has_status) {
        keep_status(object, old->json);
    }
    if (rules.set_defaults) rules.set_defaults(object);
    if (!type.is_custom && type.schema.root) fill_required_scalars(*type.schema.root, object);
    if (type.is_custom && type.schema.root) apply_defaults(*type.schema.root, object);

    FieldProblems problems;
    if (is_deleting(old->json)) problems = new_finalizers(object, old->json);
    validate_metadata(type, object, problems);
    if (rules.validate && !is_status) rules.validate(object, &old->json, problems);
    if (type.is_custom && type.schema.root) {
        for (FieldProblem& problem : validate(*type.schema.root, object, &old->json))
            problems.push_back(std::move(problem));
    }
    if (!problems.empty()) return invalid_object(type, name, problems);

    if (object == old->json) return old;
    if (type.has_generation && !has_same_spec(type, object, old->json)) {
        object["metadata"]["generation"] = int_at(old->json, {"metadata", "generation"}) + 1;
    }
    const bool is_released = is_deleting(object) && array_at(object, {"metadata", "finalizers"}).empty() &&
                             int_at(object, {"metadata", "deletionGracePeriodSeconds"}) == 0 &&
                             !(type.kind == "Namespace" && !array_at(object, {"spec", "finalizers"}).empty());
    if (is_released && !options.is_dry_run) return erase(type, std::move(object));
    return commit(type, std::move(object), options);
}

// --- patch

Answer<ObjectPtr> Verbs::patch(const ResourceType& type, std::string_view ns, std::string_view name,
                               std::string_view subresource, PatchKind kind, const Json& patch,
                               const WriteOptions& options, bool* was_created) {
    const ObjectPtr old = store_.get(type, ns, name);
    if (!old) {
        if (kind != PatchKind::kApply || !subresource.empty()) return not_found(type, name);
        if (was_created) *was_created = true;
        Json object = patch;
        at(object, {"metadata"})["name"] = name;
        return create(type, ns, std::move(object), options);
    }
    Json object;
    switch (kind) {
        case PatchKind::kJson: {
            TRY_ANSWER(object, apply_json_patch(old->json, patch));
            break;
        }
        case PatchKind::kMerge:
            object = old->json;
            apply_merge_patch(object, patch);
            break;
        case PatchKind::kStrategic: {
            TRY_ANSWER(object, apply_strategic_patch(type.schema.root, old->json, patch));
            break;
        }
        case PatchKind::kApply:
            object = old->json;
            apply_configuration(type.schema.root, object, patch);
            break;
    }
    TRY_REFUSAL(decode(type, object, options));
    TRY_REFUSAL(check_identity(type, ns, name, object));
    return finish_update(type, old, subresource, std::move(object), options);
}

}  // namespace joiner::sim
