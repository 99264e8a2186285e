#include "api/label_text.h"

#include <algorithm>
#include <utility>

#include "api/names.h"

namespace joiner::api {
namespace {

bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_lower_alnum(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

bool is_name_part(std::string_view name) {
    if (name.empty() || name.size() > 63 || !is_alnum(name.front()) || !is_alnum(name.back())) return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool is_dns_subdomain(std::string_view name) {
    if (name.empty() || name.size() > 253) return false;
    std::size_t at = 0;
    while (at <= name.size()) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        const std::string_view label = name.substr(at, dot - at);
        if (label.empty() || !is_lower_alnum(label.front()) || !is_lower_alnum(label.back())) return false;
        if (!std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alnum(c) || c == '-'; }))
            return false;
        at = dot + 1;
    }
    return true;
}

}  // namespace

bool is_qualified_name(std::string_view key) {
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return is_name_part(key);
    return is_dns_subdomain(key.substr(0, slash)) && is_name_part(key.substr(slash + 1));
}

bool is_label_value(std::string_view value) {
    return value.empty() || is_name_part(value);
}

std::string_view normalize_label(std::string_view key) {
    constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
        {"failure-domain.beta.kubernetes.io/zone", kZoneLabel},
        {"failure-domain.beta.kubernetes.io/region", kRegionLabel},
        {"beta.kubernetes.io/arch", kArchLabel},
        {"beta.kubernetes.io/os", kOSLabel},
        {"beta.kubernetes.io/instance-type", kInstanceTypeLabel},
        {kEbsZoneLabel, kZoneLabel},
    };
    for (const auto& [alias, name] : kAliases) {
        if (key == alias) return name;
    }
    return key;
}

}  // namespace joiner::api
