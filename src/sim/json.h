// JSON documents as this layer handles them, with short ways to reach into them. The one header here that
// shows nlohmann's types; headers meant for other layers do not include it. Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace joiner::sim {

using Json = nlohmann::json;
using Path = std::initializer_list<std::string_view>;

// Null for what is not JSON.
std::optional<Json> parse_json(std::string_view text);
// Never throws; bytes that are not UTF-8 are replaced.
std::string to_text(const Json& json);

// The member at `path`, or nullptr where it is absent or JSON null.
const Json* find(const Json& json, Path path);
Json* find(Json& json, Path path);
// Makes the objects on the way.
Json& at(Json& json, Path path);
// Sets the member unless it is there and not null. Makes an object of null.
void set_default(Json& object, std::string_view key, Json value);
// Removes the last member of `path`; no effect when it is not there.
void drop(Json& json, Path path);

// Empty, 0 or false where the member is absent or of another type.
const std::string& text_at(const Json& json, Path path);
std::int64_t int_at(const Json& json, Path path, std::int64_t otherwise = 0);
bool flag_at(const Json& json, Path path);
// An empty array or object where the member is absent or of another type.
const Json& array_at(const Json& json, Path path);
const Json& object_at(const Json& json, Path path);

inline const std::string& name_of(const Json& object) {
    return text_at(object, {"metadata", "name"});
}
inline const std::string& namespace_of(const Json& object) {
    return text_at(object, {"metadata", "namespace"});
}
inline const std::string& uid_of(const Json& object) {
    return text_at(object, {"metadata", "uid"});
}
inline bool is_deleting(const Json& object) {
    return find(object, {"metadata", "deletionTimestamp"}) != nullptr;
}

// The condition of this type in status.conditions, or nullptr.
const Json* find_condition(const Json& object, std::string_view type);
bool is_condition_true(const Json& object, std::string_view type);
// The owner reference with controller=true, or nullptr.
const Json* controller_of(const Json& object);

}  // namespace joiner::sim
