#include "cli/scheduler_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>

namespace joiner::cli {
namespace {

constexpr std::string_view kFlag = "--scheduler-config";

Status only_fields(const YAML::Node& node, std::string_view where,
                   std::initializer_list<std::string_view> known) {
    if (!node.IsMap()) return invalid(fmt::format("{}: {} must be an object", kFlag, where));
    for (const auto& item : node) {
        const auto name = item.first.as<std::string>();
        if (std::find(known.begin(), known.end(), name) == known.end())
            return invalid(fmt::format("{}: unknown field {} in {}", kFlag, name, where));
    }
    return {};
}

Result<api::TopologySpreadConstraint> parse_constraint(const YAML::Node& node) {
    constexpr std::string_view kWhere = "defaultConstraints";
    TRY_STATUS(only_fields(node, kWhere,
                           {"maxSkew", "topologyKey", "whenUnsatisfiable", "minDomains", "nodeAffinityPolicy",
                            "nodeTaintsPolicy"}));
    const auto bad = [&](std::string_view what) {
        return invalid(fmt::format("{}: {}: {}", kFlag, kWhere, what));
    };
    api::TopologySpreadConstraint out;
    out.max_skew = node["maxSkew"].as<int>(0);
    if (out.max_skew <= 0) return bad("maxSkew must be more than 0");
    out.topology_key = node["topologyKey"].as<std::string>("");
    if (out.topology_key.empty()) return bad("topologyKey is missing");
    out.when_unsatisfiable = node["whenUnsatisfiable"].as<std::string>("");
    if (out.when_unsatisfiable != "DoNotSchedule" && out.when_unsatisfiable != "ScheduleAnyway")
        return bad("whenUnsatisfiable must be DoNotSchedule or ScheduleAnyway");
    if (node["minDomains"]) {
        out.min_domains = node["minDomains"].as<int>(0);
        if (*out.min_domains <= 0) return bad("minDomains must be more than 0");
    }
    for (auto [field, value] : {std::pair{"nodeAffinityPolicy", &out.node_affinity_policy},
                                std::pair{"nodeTaintsPolicy", &out.node_taints_policy}}) {
        if (!node[field]) continue;
        *value = node[field].as<std::string>("");
        if (*value != "Honor" && *value != "Ignore")
            return bad(fmt::format("{} must be Honor or Ignore", field));
    }
    return out;
}

Result<std::vector<api::TopologySpreadConstraint>> parse(const YAML::Node& root) {
    std::vector<api::TopologySpreadConstraint> out;
    if (!root || root.IsNull()) return out;
    TRY_STATUS(only_fields(root, "the document", {"podTopologySpread"}));
    const YAML::Node spread = root["podTopologySpread"];
    if (!spread) return out;
    TRY_STATUS(only_fields(spread, "podTopologySpread", {"defaultConstraints"}));
    const YAML::Node constraints = spread["defaultConstraints"];
    if (!constraints) return out;
    if (!constraints.IsSequence())
        return invalid(fmt::format("{}: defaultConstraints must be a list", kFlag));
    std::set<std::pair<std::string, std::string>> seen;
    for (const YAML::Node& each : constraints) {
        TRY(auto constraint, parse_constraint(each));
        if (!seen.emplace(constraint.topology_key, constraint.when_unsatisfiable).second) {
            return invalid(fmt::format("{}: defaultConstraints has {} with {} twice", kFlag,
                                       constraint.topology_key, constraint.when_unsatisfiable));
        }
        out.push_back(std::move(constraint));
    }
    return out;
}

}  // namespace

Result<std::vector<api::TopologySpreadConstraint>> parse_scheduler_config(const std::string& text) {
    try {
        return parse(YAML::Load(text));
    } catch (const YAML::Exception& e) {
        return invalid(fmt::format("{} is no YAML: {}", kFlag, e.what()));
    }
}

Result<std::vector<api::TopologySpreadConstraint>> default_spread(const std::string& text,
                                                                  bool with_preferences) {
    TRY(auto out, parse_scheduler_config(text));
    if (!with_preferences)
        std::erase_if(out, [](const auto& one) { return one.when_unsatisfiable == "ScheduleAnyway"; });
    return out;
}

}  // namespace joiner::cli
