#include "control/cluster_money.h"

#include <utility>

#include "api/names.h"

namespace joiner::control {

rules::Money ClusterMoney::price() const {
    rules::Money out;
    for (const auto& [pool, price] : by_pool) out += price;
    return out;
}

void MoneySum::add(const model::NodeState& node, const model::ClaimState* claim,
                   const std::optional<rules::Money>& price) {
    // What another controller's pool costs is part of the sum, and not counted under its name.
    const bool is_theirs = claim != nullptr && !claim->is_ours;
    const std::string pool(is_theirs ? "" : api::find_or_empty(node.node.meta.labels, api::kNodePoolLabel));
    if (!price) {
        ++out_.unpriced[pool];
        return;
    }
    out_.by_pool[pool] += *price;
    if (claim == nullptr || !claim->is_ours) {
        of_others_ += *price;
        return;
    }
    asked_ += node.used - node.daemon_used;
    // It is there, whatever is sold today.
    sold_.push_back({node.allocatable.cpu_milli, node.allocatable.memory_bytes, *price});
}

ClusterMoney MoneySum::finish() && {
    if (is_something_sold_)
        out_.bound = of_others_ + plan::price_floor(asked_.cpu_milli, asked_.memory_bytes, std::move(sold_));
    return std::move(out_);
}

ClusterMoney money_of(const model::Cluster& cluster, const NodePrices& prices) {
    MoneySum sum(prices);
    for (const auto& [name, state] : cluster.nodes())
        sum.add(state, cluster.claim_of(state.node), prices.price_of(state.node.meta.labels));
    return std::move(sum).finish();
}

}  // namespace joiner::control
