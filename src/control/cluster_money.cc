#include "control/cluster_money.h"

#include <vector>

#include "api/names.h"

namespace joiner::control {

rules::Money ClusterMoney::price() const {
    rules::Money out;
    for (const auto& [pool, price] : by_pool) out += price;
    return out;
}

ClusterMoney money_of(const model::Cluster& cluster, const NodePrices& prices) {
    ClusterMoney out;
    std::vector<plan::SoldMachine> sold = prices.sold();
    const bool is_something_sold = !sold.empty();
    rules::Resources asked;
    rules::Money of_others;
    for (const auto& [name, state] : cluster.nodes()) {
        const api::StringMap& labels = state.node.meta.labels;
        const std::optional<rules::Money> price = prices.price_of(labels);
        const std::string pool(api::find_or_empty(labels, api::kNodePoolLabel));
        if (!price) {
            ++out.unpriced[pool];
            continue;
        }
        out.by_pool[pool] += *price;
        if (cluster.claim_of(state.node) == nullptr || !cluster.is_ours(state)) {
            of_others += *price;
            continue;
        }
        asked += state.used - state.daemon_used;
        // It is there, whatever is sold today.
        sold.push_back({state.allocatable.cpu_milli, state.allocatable.memory_bytes, *price});
    }
    if (is_something_sold)
        out.bound = of_others + plan::price_floor(asked.cpu_milli, asked.memory_bytes, sold);
    return out;
}

}  // namespace joiner::control
