// The texts of HTTP requests, taken apart. Any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace joiner::sim {

std::string percent_decode(std::string_view text, bool plus_is_space);

struct Target {
    std::string path;
    std::vector<std::string> segments;  // Of the path, decoded.
    std::map<std::string, std::string, std::less<>> query;

    std::string_view parameter(std::string_view name) const;
    bool flag(std::string_view name) const;  // "true" or "1".
};
Target parse_target(std::string_view target);

std::string base64_encode(std::string_view bytes);
// Nullopt for what is not base64. Takes both alphabets, with or without padding.
std::optional<std::string> base64_decode(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace joiner::sim
