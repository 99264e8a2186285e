#include "control/cluster_metrics.h"

#include <map>
#include <string_view>
#include <utility>

#include "api/names.h"
#include "control/cluster_money.h"

namespace joiner::control {

void ClusterMetrics::look() {
    show_money();
    show_use();
    show_blocked();
    gauges_.end_pass();
}

void ClusterMetrics::show_money() {
    prices_.look();
    ClusterMoney money = money_of(cluster_, prices_);
    // A pool of ours without nodes costs nothing, which is not the same as unknown.
    for (const auto& [pool, state] : cluster_.our_pools()) {
        money.by_pool[pool];
        money.unpriced[pool];
    }
    for (const auto& [pool, price] : money.by_pool)
        gauges_.set("joiner_cluster_price_per_hour", {{"nodepool", pool}}, price.dollars());
    for (const auto& [pool, nodes] : money.unpriced)
        gauges_.set("joiner_cluster_unpriced_nodes", {{"nodepool", pool}}, static_cast<double>(nodes));
    if (money.bound) gauges_.set("joiner_cluster_lower_bound_per_hour", {}, money.bound->dollars());
}

void ClusterMetrics::show_use() {
    rules::Resources used;
    rules::Resources allocatable;
    for (const auto& [name, state] : cluster_.nodes()) {
        used += state.used;
        allocatable += state.allocatable;
    }
    const auto show = [&](const char* resource, std::int64_t part, std::int64_t whole) {
        if (whole > 0)
            gauges_.set("cluster_utilization_percent", {{"resource_type", resource}},
                        100 * static_cast<double>(part) / static_cast<double>(whole));
    };
    show("cpu", used.cpu_milli, allocatable.cpu_milli);
    show("memory", used.memory_bytes, allocatable.memory_bytes);
}

void ClusterMetrics::show_blocked() {
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> counts;
    for (const auto& [name, state] : cluster_.nodes()) {
        const observe::Decision* last =
            decisions_.last(observe::Subject::node(state.node.meta), observe::Matter::kConsolidation);
        const bool is_kept = last != nullptr && last->verdict == observe::Verdict::kKept &&
                             last->reasons != nullptr && !last->reasons->empty();
        if (!is_kept || state.node.meta.deleted) continue;
        ++counts[{api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel),
                  word_for(last->reasons->front().rule)}];
    }
    for (const auto& [key, count] : counts)
        gauges_.set("joiner_blocked_nodes",
                    {{"nodepool", std::string(key.first)}, {"reason", std::string(key.second)}},
                    static_cast<double>(count));
}

}  // namespace joiner::control
