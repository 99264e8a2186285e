#include "sim/json.h"

#include <utility>

namespace joiner::sim {
namespace {

const Json kEmptyArray = Json::array();
const Json kEmptyObject = Json::object();
const std::string kEmptyText;

template <typename J>
J* find_in(J& json, Path path) {
    J* at = &json;
    for (const std::string_view key : path) {
        if (!at->is_object()) return nullptr;
        const auto member = at->find(key);
        if (member == at->end() || member->is_null()) return nullptr;
        at = &*member;
    }
    return at;
}

}  // namespace

std::optional<Json> parse_json(std::string_view text) {
    Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) return std::nullopt;
    return json;
}

std::string to_text(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json* find(const Json& json, Path path) {
    return find_in(json, path);
}
Json* find(Json& json, Path path) {
    return find_in(json, path);
}

Json& at(Json& json, Path path) {
    Json* at = &json;
    for (const std::string_view key : path) {
        if (!at->is_object()) *at = Json::object();
        at = &(*at)[std::string(key)];
    }
    return *at;
}

void set_default(Json& object, std::string_view key, Json value) {
    Json& member = object[std::string(key)];
    if (member.is_null()) member = std::move(value);
}

void drop(Json& json, Path path) {
    Json* parent = &json;
    for (auto key = path.begin(); key != path.end(); ++key) {
        if (!parent->is_object()) return;
        const auto member = parent->find(*key);
        if (member == parent->end()) return;
        if (std::next(key) == path.end()) {
            parent->erase(member);
            return;
        }
        parent = &*member;
    }
}

const std::string& text_at(const Json& json, Path path) {
    const Json* value = find(json, path);
    return value && value->is_string() ? value->get_ref<const std::string&>() : kEmptyText;
}

std::int64_t int_at(const Json& json, Path path, std::int64_t otherwise) {
    const Json* value = find(json, path);
    return value && value->is_number() ? value->get<std::int64_t>() : otherwise;
}

bool flag_at(const Json& json, Path path) {
    const Json* value = find(json, path);
    return value && value->is_boolean() && value->get<bool>();
}

const Json& array_at(const Json& json, Path path) {
    const Json* value = find(json, path);
    return value && value->is_array() ? *value : kEmptyArray;
}

const Json& object_at(const Json& json, Path path) {
    const Json* value = find(json, path);
    return value && value->is_object() ? *value : kEmptyObject;
}

const Json* find_condition(const Json& object, std::string_view type) {
    for (const Json& condition : array_at(object, {"status", "conditions"})) {
        if (text_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

bool is_condition_true(const Json& object, std::string_view type) {
    const Json* condition = find_condition(object, type);
    return condition && text_at(*condition, {"status"}) == "True";
}

const Json* controller_of(const Json& object) {
    for (const Json& owner : array_at(object, {"metadata", "ownerReferences"})) {
        if (flag_at(owner, {"controller"})) return &owner;
    }
    return nullptr;
}

}  // namespace joiner::sim
