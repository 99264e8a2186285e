// The metrics of what disruption decides, told alike by all that decide it. Loop thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/cluster.h"
#include "observe/metrics.h"

namespace joiner::control {

struct CountedDecision {
    std::string_view decision;  // As the metrics call it: "delete", "replace", "terminate-first", "reboot".
    std::string_view reason;    // One of plan::kDisruptionReasons.
    std::string_view consolidation_type = {};
};

// One decision about the nodes of `claims`, and one for each of their NodePools.
void count_decision(observe::Metrics& metrics, const model::Cluster& cluster, const CountedDecision& what,
                    const std::vector<std::string>& claims);

}  // namespace joiner::control
