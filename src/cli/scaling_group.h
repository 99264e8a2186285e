// Auto Scaling groups, as `aws autoscaling describe-auto-scaling-groups` prints them with the Cluster
// Autoscaler's tags, as NodePools and EC2NodeClasses. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/cluster_autoscaler.h"

namespace joiner::cli {

struct ScalingGroups {
    std::vector<std::string> objects;  // JSON: of each group its NodePool, then its EC2NodeClass.
    std::vector<std::string> remarks;
    std::vector<std::string> refusals;
};

bool describes_scaling_groups(std::string_view json);

// `source` is where it stands, for the sentences.
ScalingGroups convert_scaling_groups(std::string_view json, const std::string& source,
                                     const AutoscalerSettings& settings);

}  // namespace joiner::cli
