#include "control/pool_metrics.h"

#include <algorithm>
#include <cstdlib>

#include "api/names.h"
#include "control/metric_words.h"
#include "rules/resources.h"

namespace joiner::control {
namespace {

struct Use {
    rules::Resources capacity;
    std::int64_t nodes = 0;
    double price = 0;
};

// By pool.
std::map<std::string, Use, std::less<>> uses_of(const model::Cluster& cluster) {
    std::map<std::string, Use, std::less<>> out;
    for (const auto& [name, state] : cluster.our_claims()) {
        const model::NodeState* node = cluster.node_of(state.claim);
        if (state.claim.meta.deleted || node == nullptr) continue;
        Use& use = out[std::string(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel))];
        use.capacity += rules::as_capacity(node->node.capacity);
        ++use.nodes;
        const std::string price(api::find_or_empty(node->node.meta.labels, "eks-node-viewer/instance-price"));
        use.price += std::strtod(price.c_str(), nullptr);
    }
    return out;
}

}  // namespace

void PoolMetrics::look(const plan::DisruptionGate& gate,
                       const std::map<std::string, std::string, std::less<>>& held_pools) {
    const auto uses = uses_of(cluster_);
    for (const auto& [name, state] : cluster_.our_pools()) {
        const auto found = uses.find(name);
        const Use use = found == uses.end() ? Use{} : found->second;
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
