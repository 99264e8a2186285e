#include "control/pool_metrics.h"

#include <algorithm>

#include "control/metric_words.h"
#include "control/pool_use.h"

namespace joiner::control {
void PoolMetrics::look(const plan::DisruptionGate& gate,
                       const std::map<std::string, std::string, std::less<>>& held_pools) {
    const UseByPool uses = use_by_pool(cluster_);
    for (const auto& [name, state] : cluster_.our_pools()) {
        const auto found = uses.find(name);
        const PoolUse use = found == uses.end() ? PoolUse{} : found->second;
        const auto of_resource = [&](const std::string& resource) -> observe::Labels {
            return {{"nodepool", name}, {"resource_type", resource}};
        };
        gauges_.set("nodepools_usage", of_resource("nodes"), static_cast<double>(use.nodes));
        gauges_.set("nodepools_usage", of_resource("cpu"),
                    static_cast<double>(use.capacity.cpu_milli) / 1000);
        gauges_.set("nodepools_usage", of_resource("memory"), static_cast<double>(use.capacity.memory_bytes));
        gauges_.set("nodepools_cost_total", {{"nodepool", name}}, use.price);
        if (state.pool.limits) {
            for (const auto& [resource, limit] : *state.pool.limits)
                gauges_.set("nodepools_limit", of_resource(resource), limit.to_double());
        }
        for (const std::string_view reason : plan::kDisruptionReasons) {
            const observe::Labels labels = {{"nodepool", name}, {"reason", lower(reason)}};
            gauges_.set("nodepools_allowed_disruptions", labels,
                        static_cast<double>(std::min(gate.allowed(name, reason), use.nodes)));
            gauges_.set("nodepools_nodes_consuming_budgets", labels,
                        static_cast<double>(gate.under_way(name, reason)));
        }
        gauges_.set("joiner_disruption_held", {{"nodepool", name}}, held_pools.contains(name) ? 1 : 0);
    }
    gauges_.end_pass();
}

}  // namespace joiner::control
