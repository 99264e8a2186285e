#include "api/meta.h"

namespace joiner::api {

std::string full_name(const ObjectMeta& meta) {
    return meta.ns.empty() ? meta.name : meta.ns + "/" + meta.name;
}

const OwnerReference* controller_of(const ObjectMeta& meta) {
    for (const OwnerReference& owner : meta.owners) {
        if (owner.controller) return &owner;
    }
    return nullptr;
}

std::string_view find_or_empty(const StringMap& map, std::string_view key) {
    const auto it = map.find(key);
    return it == map.end() ? std::string_view{} : std::string_view(it->second);
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
    for (const Condition& condition : conditions) {
        if (condition.type == type) return &condition;
    }
    return nullptr;
}

}  // namespace joiner::api
