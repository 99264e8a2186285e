#include "cli/commitments_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file.h"

namespace joiner::cli {
namespace {

using rules::Commitment;
using rules::CommitmentKind;
using rules::Money;

constexpr std::size_t kMostBytes = 4u << 20;
constexpr std::size_t kMostCommitments = 1000;
constexpr std::size_t kMostRates = 10'000;
constexpr std::int64_t kMostInstances = 1'000'000;
constexpr double kMostDollars = 1e6;

constexpr std::pair<std::string_view, CommitmentKind> kKinds[] = {
    {"ZonalReservedInstances", CommitmentKind::kZonalReserved},
    {"RegionalReservedInstances", CommitmentKind::kRegionalReserved},
    {"EC2InstanceSavingsPlan", CommitmentKind::kFamilyPlan},
    {"ComputeSavingsPlan", CommitmentKind::kComputePlan},
};

std::vector<std::string_view> fields_of(CommitmentKind kind) {
    switch (kind) {
        case CommitmentKind::kZonalReserved:
            return {"name", "kind", "os", "usedElsewhere", "instanceType", "count", "zone"};
        case CommitmentKind::kRegionalReserved:
            return {"name", "kind", "os", "usedElsewhere", "instanceType", "count"};
        case CommitmentKind::kFamilyPlan:
            return {"name", "kind", "os", "usedElsewhere", "dollarsPerHour", "rates", "discount", "family"};
        case CommitmentKind::kComputePlan:
            break;
    }
    return {"name", "kind", "os", "usedElsewhere", "dollarsPerHour", "rates", "discount"};
}

std::string text_in(const YAML::Node& node) {
    return node && node.IsScalar() ? node.Scalar() : std::string();
}

std::optional<double> number_in(const YAML::Node& node) {
    const std::string text = text_in(node);
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

class CommitmentsReader {
  public:
    explicit CommitmentsReader(const std::string& where) : where_(where) {}

    Result<rules::Commitments> read(const YAML::Node& root) {
        rules::Commitments out;
        if (!root || root.IsNull()) return out;
        TRY_STATUS(only(root, "the file", {"commitments"}));
        const YAML::Node list = root["commitments"];
        if (!list) return out;
        if (!list.IsSequence()) return wrong(list, "commitments must be a list");
        if (list.size() > kMostCommitments)
            return wrong(list, fmt::format("there are more than {} commitments", kMostCommitments));
        std::set<std::string> names;
        for (const YAML::Node& node : list) {
            TRY(Commitment one, read_one(node));
            if (!names.insert(one.name).second)
                return wrong(node, fmt::format("the name {} is given twice", one.name));
            out.push_back(std::move(one));
        }
        return out;
    }

  private:
    tl::unexpected<Error> wrong(const YAML::Node& node, std::string_view what) const {
        return invalid(fmt::format("{}, line {}: {}", where_, node.Mark().line + 1, what));
    }

    Status only(const YAML::Node& node, std::string_view what,
                const std::vector<std::string_view>& known) const {
        if (!node.IsMap()) return wrong(node, fmt::format("{} must be an object", what));
        std::set<std::string> seen;
        for (const auto& item : node) {
            const std::string name = text_in(item.first);
            if (std::find(known.begin(), known.end(), name) == known.end())
                return wrong(item.first, fmt::format("{} has no field {}; it may have {}", what, name,
                                                     fmt::join(known, ", ")));
            if (!seen.insert(name).second)
                return wrong(item.first, fmt::format("{} has the field {} twice", what, name));
        }
        return {};
    }

    Result<Commitment> read_one(const YAML::Node& node) const {
        if (!node.IsMap()) return wrong(node, "a commitment must be an object");
        Commitment out;
        const std::string kind = text_in(node["kind"]);
        const auto* const known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                               [&](const auto& one) { return one.first == kind; });
        if (known == std::end(kKinds))
            return wrong(node,
                         "kind must be ZonalReservedInstances, RegionalReservedInstances, "
                         "EC2InstanceSavingsPlan or ComputeSavingsPlan");
        out.kind = known->second;
        TRY_STATUS(only(node, kind, fields_of(out.kind)));
        out.name = text_in(node["name"]);
        if (out.name.empty()) return wrong(node, "name is missing");
        if (node["os"]) out.os = text_in(node["os"]);
        if (out.os != "linux" && out.os != "windows") return wrong(node["os"], "os must be linux or windows");
        TRY_STATUS(out.is_plan() ? read_plan(node, out) : read_reserved(node, out));
        return out;
    }

    Status read_reserved(const YAML::Node& node, Commitment& out) const {
        out.instance_type = text_in(node["instanceType"]);
        if (out.instance_type.find('.') == std::string::npos)
            return wrong(node, "instanceType must name a type, as m5.large is one");
        if (out.kind == CommitmentKind::kZonalReserved) {
            out.zone = text_in(node["zone"]);
            if (out.zone.empty()) return wrong(node, "zone is missing; a reservation without is regional");
        }
        std::int64_t left = 0;
        for (const auto& [field, sign] : {std::pair{"count", 1}, std::pair{"usedElsewhere", -1}}) {
            if (sign < 0 && !node[field]) continue;
            const auto number = number_in(node[field]);
            if (!number || !(*number >= 0 && *number <= static_cast<double>(kMostInstances)) ||
                *number != std::floor(*number))
                return wrong(
                    node, fmt::format("{} must be a number of instances, {} at most", field, kMostInstances));
            left += sign * static_cast<std::int64_t>(*number);
        }
        out.amount =
            rules::reserved_amount(out.kind, out.instance_type, out.os, std::max<std::int64_t>(0, left));
        return {};
    }

    Result<Money> read_dollars(const YAML::Node& parent, const std::string& field) const {
        const auto number = number_in(parent[field]);
        if (!number || !(*number >= 0 && *number <= kMostDollars))
            return wrong(parent, fmt::format("{} must be a number of dollars an hour, {} at most", field,
                                             static_cast<std::int64_t>(kMostDollars)));
        return Money::from_dollars(*number);
    }

    Status read_plan(const YAML::Node& node, Commitment& out) const {
        if (out.kind == CommitmentKind::kFamilyPlan) {
            out.family = text_in(node["family"]);
            if (out.family.empty()) return wrong(node, "family is missing, as m5 is one");
        }
        TRY(Money left, read_dollars(node, "dollarsPerHour"));
        if (node["usedElsewhere"]) {
            TRY(const Money elsewhere, read_dollars(node, "usedElsewhere"));
            left -= elsewhere;
        }
        out.amount = std::max<std::int64_t>(0, left.nanos);
        const YAML::Node rates = node["rates"];
        if (rates) {
            if (!rates.IsMap() || rates.size() > kMostRates)
                return wrong(rates, fmt::format("rates must be an object of types and dollars an hour, {} at "
                                                "most",
                                                kMostRates));
            for (const auto& item : rates) {
                TRY(const Money rate, read_dollars(rates, text_in(item.first)));
                if (rate.nanos == 0)
                    return wrong(item.first,
                                 fmt::format("the rate of {} must be more than 0", text_in(item.first)));
                out.rates[text_in(item.first)] = rate;
            }
        }
        if (node["discount"]) {
            const auto number = number_in(node["discount"]);
            if (!number || !(*number >= 0 && *number < 1))
                return wrong(node["discount"], "discount must be at least 0 and less than 1: 0.28 is 28 %");
            out.discount = *number;
        }
        if (out.rates.empty() && !out.discount)
            return wrong(node, "a plan needs rates or a discount: what an hour of a type takes of it");
        return {};
    }

    const std::string& where_;
};

}  // namespace

Result<rules::Commitments> parse_commitments(const std::string& text, const std::string& where) {
    try {
        return CommitmentsReader(where).read(YAML::Load(text));
    } catch (const YAML::Exception& e) {
        return invalid(fmt::format("{} is no YAML: {}", where, e.what()));
    }
}

Result<rules::Commitments> load_commitments(const std::string& path) {
    if (path.empty()) return rules::Commitments{};
    TRY(const std::string text, io::read_file(path, kMostBytes));
    return parse_commitments(text, "commitments file " + path);
}

}  // namespace joiner::cli
