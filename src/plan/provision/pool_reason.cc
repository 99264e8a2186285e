#include "plan/provision/pool_reason.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <vector>

#include "rules/provider_keys.h"

namespace joiner::plan {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;

constexpr std::size_t kMostListed = 3;

const Requirement* defined(const InstanceType& type, const Offering& offering, const std::string& key) {
    const Requirement* own = offering.requirements.find(key);
    return own != nullptr ? own : type.requirements.find(key);
}

// All offerings of a type name the same keys.
bool is_on_types(const model::PoolView& pool, const std::string& key) {
    return std::any_of(pool.types->begin(), pool.types->end(), [&](const InstanceType& type) {
        return type.requirements.has(key) ||
               (!type.offerings.empty() && type.offerings.front().requirements.has(key));
    });
}

struct TypeOffering {
    const InstanceType* type = nullptr;
    const Offering* offering = nullptr;
};

// In the order of the pool's own list, those of its labels last.
std::vector<const Requirement*> in_order(const model::PoolView& pool, const Requirements& requirements) {
    std::vector<const Requirement*> out;
    const auto add = [&](const Requirement* one) {
        if (one != nullptr && std::find(out.begin(), out.end(), one) == out.end()) out.push_back(one);
    };
    for (const api::SelectorRequirement& one : pool.pool.node_template.requirements)
        add(requirements.find(rules::normalize_label(one.key)));
    for (const Requirement& one : requirements) add(&one);
    return out;
}

bool is_number(const std::string& text) {
    return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == std::string::npos;
}

// "a and b", or "a to f" of many; numbers by size.
std::string values_text(const std::vector<TypeOffering>& offers, const std::string& key) {
    const auto before = [](const std::string& a, const std::string& b) {
        if (is_number(a) && is_number(b) && std::stoll(a) != std::stoll(b))
            return std::stoll(a) < std::stoll(b);
        return a < b;
    };
    std::set<std::string, decltype(before)> values(before);
    for (const TypeOffering& offer : offers) {
        const Requirement* own = defined(*offer.type, *offer.offering, key);
        if (own != nullptr && !own->is_complement())
            values.insert(own->values().begin(), own->values().end());
    }
    if (values.empty()) return "no such label";
    if (values.size() > kMostListed) return fmt::format("{} to {}", *values.begin(), *values.rbegin());
    std::string out = *values.begin();
    for (auto it = std::next(values.begin()); it != values.end(); ++it)
        out += (std::next(it) == values.end() ? " and " : ", ") + *it;
    return out;
}

std::string with_hint(std::string text, const model::TypesSource& source) {
    if (!source.how_to_have_others.empty()) text += "; " + source.how_to_have_others;
    return text;
}

}  // namespace

std::string why_nothing_is_sold(const model::PoolView& pool) {
    const api::NodePoolTemplate& made_of = pool.pool.node_template;
    if (!pool.why_no_types.empty()) return pool.why_no_types;
    if (pool.types == nullptr || pool.types->empty()) {
        if (made_of.node_class.kind.empty()) return "the provider has no instance types";
        return fmt::format("there are no instance types for its {} ({})", made_of.node_class.kind,
                           made_of.node_class.group);
    }
    for (const api::SelectorRequirement& one : made_of.requirements) {
        const std::string key(rules::normalize_label(one.key));
        if (!rules::is_provider_key(key) || is_on_types(pool, key)) continue;
        return fmt::format(
            "its requirement on {} cannot be checked: no instance type known here defines that label", key);
    }
    return {};
}

Requirements requirements_on_types(const model::PoolView& pool) {
    Requirements out;
    for (const Requirement& one : pool.requirements) {
        if (is_on_types(pool, one.key())) out.add(one);
    }
    return out;
}

std::string why_no_type_is_left(const model::PoolView& pool, const model::TypesSource& source) {
    std::vector<TypeOffering> all;
    for (const InstanceType& type : *pool.types) {
        for (const Offering& offering : type.offerings) all.push_back({&type, &offering});
    }
    const Requirements on_types = requirements_on_types(pool);
    const std::vector<const Requirement*> requirements = in_order(pool, on_types);
    const auto fails = [](const TypeOffering& offer, const Requirement& wanted) {
        return !rules::suits(defined(*offer.type, *offer.offering, wanted.key()), wanted);
    };
    for (const Requirement* wanted : requirements) {
        const bool none =
            std::all_of(all.begin(), all.end(), [&](const TypeOffering& o) { return fails(o, *wanted); });
        if (!none) continue;
        return with_hint(fmt::format("no instance type meets its requirement {}: {} has {}",
                                     wanted->to_string(), source.name, values_text(all, wanted->key())),
                         source);
    }
    std::string before;
    std::vector<TypeOffering> left = all;
    for (const Requirement* wanted : requirements) {
        const std::vector<TypeOffering> had = left;
        std::erase_if(left, [&](const TypeOffering& o) { return fails(o, *wanted); });
        if (left.empty()) {
            return with_hint(
                fmt::format("no instance type meets its requirement {} together with {}: there {} has {}",
                            wanted->to_string(), before, source.name, values_text(had, wanted->key())),
                source);
        }
        if (left.size() != had.size()) before += (before.empty() ? "" : ", ") + wanted->to_string();
    }
    return "no offering that meets its requirements is available";
}

}  // namespace joiner::plan
