// What the Cluster Autoscaler's flags, as they stand in its Deployment, are here. Pure; any thread. Source:
// its documented flags.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.h"

namespace joiner::cli {

// What of them goes into every NodePool that is made of one of its groups.
struct AutoscalerSettings {
    std::string consolidate_after = "10m";  // As without the flag.
    bool may_scale_down = true;
    // How many nodes at once; absent where no flag says so.
    std::optional<long> empty_at_once;
    std::optional<long> drained_at_once;
    std::optional<long> termination_grace_seconds;
    std::vector<std::string> startup_taints;  // Keys.
    std::map<std::string, long> most_nodes;   // By group, of --nodes.
};

struct AutoscalerFlags {
    AutoscalerSettings settings;
    std::vector<std::string> meanings;  // "--scan-interval=30s: …", in the order of the flags.
    std::vector<std::string> without_meaning;
};

// Nothing where no container of the object runs the Cluster Autoscaler.
std::optional<AutoscalerFlags> autoscaler_flags(const api::Document& document);

}  // namespace joiner::cli
