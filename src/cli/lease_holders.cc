#include "cli/lease_holders.h"

#include <algorithm>
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

struct Lease {
    LeaseHolder who;
    std::string renewed;
};

// Of autoscalers: with Karpenter's name, or held by a Joiner under any.
std::optional<std::vector<Lease>> leases_in(std::string_view text) {
    const json list = json::parse(text, nullptr, false);
    if (!list.is_object() || !list.contains("items") || !list["items"].is_array()) return std::nullopt;
    std::vector<Lease> out;
    for (const json& lease : list["items"]) {
        const std::string name = text_in(lease, "metadata", "name");
        const std::string holder = text_in(lease, "spec", "holderIdentity");
        const bool is_joiner = is_a_joiners(holder);
        if (name.find("karpenter") == std::string::npos && !is_joiner) continue;
        out.push_back({{text_in(lease, "metadata", "namespace") + "/" + name, holder, is_joiner},
                       text_in(lease, "spec", "renewTime")});
    }
    return out;
}

}  // namespace

std::optional<std::vector<LeaseHolder>> lease_holders(std::string_view leases, WallTime now) {
    const auto all = leases_in(leases);
    if (!all) return std::nullopt;
    std::vector<LeaseHolder> out;
    for (const Lease& lease : *all) {
        const auto renewed = parse_rfc3339(lease.renewed);
        if (!lease.who.holder.empty() && renewed && now - *renewed <= kFreshLease) out.push_back(lease.who);
    }
    return out;
}

std::optional<ActiveHolders> active_holders(std::string_view before, std::string_view after) {
    const auto first = leases_in(before);
    const auto second = leases_in(after);
    if (!first || !second) return std::nullopt;
    ActiveHolders out;
    out.has_any = !second->empty();
    for (const Lease& lease : *second) {
        const bool is_as_it_was = std::any_of(first->begin(), first->end(), [&](const Lease& earlier) {
            return earlier.who.lease == lease.who.lease && earlier.who.holder == lease.who.holder &&
                   earlier.renewed == lease.renewed;
        });
        if (!lease.who.holder.empty() && !is_as_it_was) out.holders.push_back(lease.who);
    }
    return out;
}

}  // namespace joiner::cli
