#include "control/disruption_counts.h"

#include <set>

#include "api/names.h"
#include "control/metric_words.h"

namespace joiner::control {

void count_decision(observe::Metrics& metrics, const model::Cluster& cluster, const CountedDecision& what,
                    const std::vector<std::string>& claims) {
    observe::Labels labels = {{"decision", std::string(what.decision)},
                              {"reason", lower(what.reason)},
                              {"consolidation_type", std::string(what.consolidation_type)}};
    metrics.count("voluntary_disruption_decisions_total", labels);
    std::set<std::string_view> pools;
    for (const std::string& name : claims) {
        const model::ClaimState* claim = cluster.find_claim(name);
        if (claim != nullptr) pools.insert(api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel));
    }
    for (const std::string_view pool : pools) {
        labels["nodepool"] = pool;
        metrics.count("voluntary_disruption_decisions_by_nodepool_total", labels);
    }
}

}  // namespace joiner::control
