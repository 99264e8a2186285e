// What NodeOverlays make of the types each pool may buy. Pure; loop thread, because it reads the Cluster.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/cluster.h"
#include "rules/overlay.h"

namespace joiner::model {

struct OverlaidTypes {
    std::map<std::string, rules::InstanceTypes, std::less<>> by_pool;
    std::vector<rules::OverlayProblem> problems;  // Overlays that are not applied.
};

// `types(pool)`: as the provider has them; nullptr for a pool that is not ours, which overlays pass over.
OverlaidTypes overlaid_types(const Cluster& cluster,
                             const std::function<rules::InstanceTypes(const api::NodePool&)>& types);

}  // namespace joiner::model
