// Reads values out of EC2's answers: what is missing or is no number is zero, false or empty. Pure.
#pragma once

#include <optional>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {

inline std::string text_of(const pugi::xml_node& node, const char* name) {
    return node.child_value(name);
}
inline std::int64_t number_of(const pugi::xml_node& node, const char* name) {
    return node.child(name).text().as_llong();
}
inline int count_of(const pugi::xml_node& node, const char* name) {
    return node.child(name).text().as_int();
}
inline bool flag_of(const pugi::xml_node& node, const char* name) {
    return std::string_view(node.child_value(name)) == "true";
}
inline std::optional<WallTime> time_of(const pugi::xml_node& node, const char* name) {
    const auto time = parse_rfc3339(node.child_value(name));
    return time ? std::optional<WallTime>(*time) : std::nullopt;
}
// <name><item>...</item><item>...</item></name>
inline std::vector<std::string> texts_of(const pugi::xml_node& node, const char* name) {
    std::vector<std::string> out;
    for (const pugi::xml_node& item : node.child(name).children("item")) out.emplace_back(item.child_value());
    return out;
}
inline api::StringMap tags_of(const pugi::xml_node& node) {
    api::StringMap out;
    for (const pugi::xml_node& tag : node.child("tagSet").children("item"))
        out[tag.child_value("key")] = tag.child_value("value");
    return out;
}

}  // namespace joiner::cloud::ec2
