#include "cli/lease_holders.h"

#include <nlohmann/json.hpp>

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr Duration kFreshLease = std::chrono::minutes{1};

std::string text_in(const json& object, const char* part, const char* key) {
    if (!object.is_object() || !object.contains(part) || !object[part].is_object()) return {};
    const auto it = object[part].find(key);
    return it != object[part].end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Ours ends in sixteen digits of its own.
bool is_a_joiners(const std::string& holder) {
    const std::size_t line = holder.rfind('_');
    const std::string_view tail =
        line == std::string::npos ? std::string_view() : std::string_view(holder).substr(line + 1);
    return tail.size() == 16 && tail.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<std::vector<LeaseHolder>> lease_holders(std::string_view leases, WallTime now) {
    const json list = json::parse(leases, nullptr, false);
    if (!list.is_object() || !list.contains("items") || !list["items"].is_array()) return std::nullopt;
    std::vector<LeaseHolder> out;
    for (const json& lease : list["items"]) {
        const std::string name = text_in(lease, "metadata", "name");
        const std::string holder = text_in(lease, "spec", "holderIdentity");
        const auto renewed = parse_rfc3339(text_in(lease, "spec", "renewTime"));
        if (name.find("karpenter") == std::string::npos || holder.empty() || !renewed ||
            now - *renewed > kFreshLease)
            continue;
        out.push_back({text_in(lease, "metadata", "namespace") + "/" + name, holder, is_a_joiners(holder)});
    }
    return out;
}

}  // namespace joiner::cli
