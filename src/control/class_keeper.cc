#include "control/class_keeper.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "act/object_writer.h"
#include "api/codec.h"
#include "control/node_class_resource.h"
#include "rules/conditions.h"

namespace joiner::control {

using Json = nlohmann::json;

namespace {

// A question that was not answered in this time is asked again.
constexpr Duration kPatience = std::chrono::minutes{1};

// Whether the object says already what a merge patch would make it say.
bool says(const Json& object, const Json& patch) {
    if (!patch.is_object()) return object == patch;
    if (!object.is_object()) return false;
    return std::all_of(patch.items().begin(), patch.items().end(), [&](const auto& item) {
        const auto there = object.find(item.key());
        return item.value().is_null() ? there == object.end()
                                      : there != object.end() && says(*there, item.value());
    });
}

std::vector<api::Condition> wanted_conditions(const api::NodeClass& node_class,
                                              const std::vector<cloud::WantedCondition>& wanted,
                                              WallTime now) {
    std::vector<std::string_view> types;
    for (const cloud::WantedCondition& condition : wanted) types.push_back(condition.type);
    rules::ConditionEditor edit(node_class.conditions, types, node_class.meta.generation,
                                node_class.meta.created);
    for (const cloud::WantedCondition& condition : wanted)
        edit.set(condition.type, condition.status, condition.reason, condition.message, now);
    return edit.finish(now);
}

}  // namespace

ClassPatches class_patches(const api::NodeClass& node_class, const cloud::WantedClassState& wanted,
                           WallTime now) {
    ClassPatches out;
    Json meta = Json::object();
    for (const auto& [key, value] : wanted.annotations) {
        if (api::find_or_empty(node_class.meta.annotations, key) != value) meta["annotations"][key] = value;
    }
    std::vector<std::string> finalizers = node_class.meta.finalizers;
    const bool has = std::find(finalizers.begin(), finalizers.end(), wanted.finalizer) != finalizers.end();
    if (!wanted.finalizer.empty() && has != wanted.wants_finalizer) {
        if (has)
            std::erase(finalizers, wanted.finalizer);
        else
            finalizers.push_back(wanted.finalizer);
        // Nobody takes one on that is going already.
        if (has || !node_class.meta.deleted) meta["finalizers"] = finalizers;
    }
    if (!meta.empty()) {
        meta["resourceVersion"] = node_class.meta.resource_version;
        out.object = act::dump({{"metadata", std::move(meta)}});
    }
    Json status = Json::parse(wanted.status, nullptr, false);
    const Json there = Json::parse(node_class.status, nullptr, false);
    if (!status.is_object() || says(there, status)) status = Json::object();
    if (!wanted.conditions.empty()) {
        const auto conditions = wanted_conditions(node_class, wanted.conditions, now);
        if (conditions != node_class.conditions)
            status["conditions"] = Json::parse(api::encode_conditions(conditions));
    }
    if (!status.empty()) {
        out.status = act::dump({{"metadata", {{"resourceVersion", node_class.meta.resource_version}}},
                                {"status", std::move(status)}});
    }
    return out;
}

void ClassKeeper::mark_all() {
    for (const auto& [reference, node_class] : services_.cluster.node_classes()) mark(reference);
}

bool ClassKeeper::is_in_use(const api::NodeClassReference& reference) const {
    const auto& claims = services_.cluster.claims();
    return std::any_of(claims.begin(), claims.end(), [&](const auto& item) {
        return item.second.is_ours && item.second.claim.node_class == reference;
    });
}

void ClassKeeper::note_claims() {
    for (const auto& [reference, was_used] : used_) {
        if (was_used != is_in_use(reference)) mark(reference);
    }
}

void ClassKeeper::reconcile() {
    const WallTime now = services_.loop.now();
    std::erase_if(dirty_, [&](const auto& item) {
        const auto node_class = services_.cluster.find_node_class(item.first);
        if (node_class == nullptr) {
            used_.erase(item.first);
            return true;
        }
        const auto asked = asked_.find(item.first);
        if (asked != asked_.end() && now - asked->second < kPatience) return false;
        const auto resource = find_resource(services_.providers, item.first);
        if (resource && !patches_.may_send(*resource, node_class->meta)) return false;
        ask(*node_class);
        return true;
    });
}

void ClassKeeper::ask(const api::NodeClass& node_class) {
    const api::NodeClassReference reference = node_class.reference();
    asked_[reference] = services_.loop.now();
    used_[reference] = is_in_use(reference);
    services_.providers.of(reference).reconcile(
        node_class, {used_[reference]}, [this, reference](Result<cloud::WantedClassState> wanted) {
            asked_.erase(reference);
            if (!wanted) {
                services_.notices.failed("reconcile " + reference.kind + " " + reference.name,
                                         wanted.error());
                services_.loop.after(kPatience, [this, reference] { mark(reference); });
                return;
            }
            if (wanted->again_after)
                services_.loop.after(*wanted->again_after, [this, reference] { mark(reference); });
            write(reference, *wanted);
        });
}

void ClassKeeper::write(const api::NodeClassReference& reference, const cloud::WantedClassState& wanted) {
    const auto node_class = services_.cluster.find_node_class(reference);
    const auto resource = find_resource(services_.providers, reference);
    if (node_class == nullptr || !resource) return;
    const ClassPatches patches = class_patches(*node_class, wanted, services_.loop.now());
    if (patches.object.empty() && patches.status.empty()) return;
    // One write at a time; what is left is written when the watch shows the first.
    const bool is_status = patches.object.empty();
    patches_.send(*resource, node_class->meta, is_status ? "status" : "",
                  is_status ? patches.status : patches.object, [this, reference](bool) { mark(reference); });
}

}  // namespace joiner::control
