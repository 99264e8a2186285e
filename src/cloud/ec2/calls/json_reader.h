// Reads values out of JSON that comes from outside: what is missing, or of another kind, is null or empty.
// Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace joiner::cloud::ec2 {

inline const nlohmann::json& at(const nlohmann::json& object, const char* key) {
    static const nlohmann::json kNothing;
    if (!object.is_object()) return kNothing;
    const auto it = object.find(key);
    return it == object.end() ? kNothing : *it;
}

inline std::string text_at(const nlohmann::json& object, const char* key) {
    const nlohmann::json& value = at(object, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

}  // namespace joiner::cloud::ec2
