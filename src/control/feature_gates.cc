#include "control/feature_gates.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace joiner::control {
namespace {

struct Gate {
    std::string_view name;
    bool FeatureGates::* field;
};
constexpr Gate kGates[] = {
    {"NodeRepair", &FeatureGates::node_repair},
    {"ReservedCapacity", &FeatureGates::reserved_capacity},
    {"SpotToSpotConsolidation", &FeatureGates::spot_to_spot_consolidation},
    {"NodeOverlay", &FeatureGates::node_overlay},
    {"StaticCapacity", &FeatureGates::static_capacity},
    {"CapacityBuffer", &FeatureGates::capacity_buffer},
    {"TerminateFirstDrift", &FeatureGates::terminate_first_drift},
    {"TerminateFirstRepair", &FeatureGates::terminate_first_repair},
    {"PodDeletionCostManagement", &FeatureGates::pod_deletion_cost_management},
};

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

std::optional<bool> truth(std::string_view text) {
    for (const std::string_view yes : {"true", "True", "TRUE", "t", "T", "1"}) {
        if (text == yes) return true;
    }
    for (const std::string_view no : {"false", "False", "FALSE", "f", "F", "0"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

}  // namespace

Result<FeatureGates> parse_feature_gates(std::string_view text) {
    FeatureGates out;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view entry = trimmed(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (entry.empty()) continue;
        const std::size_t equals = entry.find('=');
        const std::optional<bool> value =
            equals == std::string_view::npos ? std::nullopt : truth(trimmed(entry.substr(equals + 1)));
        if (!value) return invalid(fmt::format("\"{}\" is not a gate's name=true or name=false", entry));
        const std::string_view name = trimmed(entry.substr(0, equals));
        const auto* gate =
            std::find_if(std::begin(kGates), std::end(kGates), [&](const Gate& g) { return g.name == name; });
        if (gate != std::end(kGates)) out.*(gate->field) = *value;
    }
    return out;
}

}  // namespace joiner::control
