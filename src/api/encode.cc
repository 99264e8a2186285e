#include <nlohmann/json.hpp>

#include "api/codec.h"

namespace joiner::api {
namespace {

using Json = nlohmann::json;

Json to_json(const StringMap& map) {
    Json out = Json::object();
    for (const auto& [key, value] : map) out[key] = value;
    return out;
}

Json to_json(const ResourceMap& map) {
    Json out = Json::object();
    for (const auto& [key, value] : map) out[key] = value.to_string();
    return out;
}

Json to_json(const OwnerReference& owner) {
    Json out = {
        {"apiVersion", owner.api_version}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}};
    if (owner.controller) out["controller"] = true;
    if (owner.block_owner_deletion) out["blockOwnerDeletion"] = true;
    return out;
}

Json to_json(const Taint& taint) {
    Json out = {{"key", taint.key}, {"effect", taint.effect}};
    if (!taint.value.empty()) out["value"] = taint.value;
    if (taint.time_added) out["timeAdded"] = format_rfc3339(*taint.time_added);
    return out;
}

Json to_json(const SelectorRequirement& requirement) {
    Json out = {{"key", requirement.key}, {"operator", requirement.op}};
    if (!requirement.values.empty()) out["values"] = requirement.values;
    if (requirement.min_values) out["minValues"] = *requirement.min_values;
    return out;
}

Json to_json(const Condition& condition) {
    Json out = {{"type", condition.type},
                {"status", condition.status},
                {"reason", condition.reason},
                {"message", condition.message},
                {"lastTransitionTime", format_rfc3339(condition.last_transition)}};
    if (condition.observed_generation != 0) out["observedGeneration"] = condition.observed_generation;
    return out;
}

template <typename T>
Json to_json(const std::vector<T>& items) {
    Json out = Json::array();
    for (const T& item : items) out.push_back(to_json(item));
    return out;
}

Json to_json(const ObjectMeta& meta) {
    Json out = {{"name", meta.name}};
    if (!meta.ns.empty()) out["namespace"] = meta.ns;
    if (!meta.labels.empty()) out["labels"] = to_json(meta.labels);
    if (!meta.annotations.empty()) out["annotations"] = to_json(meta.annotations);
    if (!meta.owners.empty()) out["ownerReferences"] = to_json(meta.owners);
    if (!meta.finalizers.empty()) out["finalizers"] = meta.finalizers;
    return out;
}

std::string dump(const Json& json) {
    // Bytes that are no UTF-8 can come in from outside; they become U+FFFD instead of an exception.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_node_claim(const NodeClaim& claim) {
    Json spec = {{"requirements", to_json(claim.requirements)},
                 {"nodeClassRef",
                  {{"group", claim.node_class.group},
                   {"kind", claim.node_class.kind},
                   {"name", claim.node_class.name}}},
                 {"expireAfter", claim.expire_after.text}};
    if (!claim.taints.empty()) spec["taints"] = to_json(claim.taints);
    if (!claim.startup_taints.empty()) spec["startupTaints"] = to_json(claim.startup_taints);
    if (!claim.requests.empty()) spec["resources"] = {{"requests", to_json(claim.requests)}};
    if (claim.termination_grace_period) {
        spec["terminationGracePeriod"] = format_duration(*claim.termination_grace_period);
    }
    return dump({{"apiVersion", "karpenter.sh/v1"},
                 {"kind", "NodeClaim"},
                 {"metadata", to_json(claim.meta)},
                 {"spec", std::move(spec)}});
}

std::string encode_node(const Node& node) {
    Json spec = Json::object();
    if (!node.provider_id.empty()) spec["providerID"] = node.provider_id;
    if (!node.taints.empty()) spec["taints"] = to_json(node.taints);
    if (node.unschedulable) spec["unschedulable"] = true;
    Json status = {{"capacity", to_json(node.capacity)}, {"allocatable", to_json(node.allocatable)}};
    if (!node.conditions.empty()) status["conditions"] = to_json(node.conditions);
    return dump({{"apiVersion", "v1"},
                 {"kind", "Node"},
                 {"metadata", to_json(node.meta)},
                 {"spec", std::move(spec)},
                 {"status", std::move(status)}});
}

std::string encode_conditions(const std::vector<Condition>& conditions) {
    return dump(to_json(conditions));
}
std::string encode_taints(const std::vector<Taint>& taints) {
    return dump(to_json(taints));
}
std::string encode_requirements(const std::vector<SelectorRequirement>& requirements) {
    return dump(to_json(requirements));
}
std::string encode_owners(const std::vector<OwnerReference>& owners) {
    return dump(to_json(owners));
}
std::string encode_string_map(const StringMap& map) {
    return dump(to_json(map));
}
std::string encode_resource_map(const ResourceMap& map) {
    return dump(to_json(map));
}
std::string encode_string(std::string_view text) {
    return dump(Json(std::string(text)));
}

}  // namespace joiner::api
