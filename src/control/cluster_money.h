// What the cluster costs an hour, and what it could not cost less than: one sum, for the page and for the
// metrics. Pure; loop thread, since the model is.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/node_prices.h"
#include "model/cluster.h"
#include "rules/money.h"

namespace joiner::control {

struct ClusterMoney {
    // An hour, of nodes that have a price. Nodes of no NodePool are under "".
    std::map<std::string, rules::Money, std::less<>> by_pool;
    std::map<std::string, std::size_t, std::less<>> unpriced;  // Nodes whose price nobody says, likewise.
    // plan::price_floor() of our nodes, and what others cost. nullopt: nothing is known to be sold.
    std::optional<rules::Money> bound;

    rules::Money price() const;
};

// The sum, node by node, for who goes over them anyway. REQUIRES: the prices have looked.
class MoneySum {
  public:
    explicit MoneySum(const NodePrices& prices) : sold_(prices.sold()), is_something_sold_(!sold_.empty()) {}

    // `claim`: the node's; nullptr: it has none. `price`: nullopt: nobody says.
    void add(const model::NodeState& node, const model::ClaimState* claim,
             const std::optional<rules::Money>& price);
    ClusterMoney finish() &&;

  private:
    ClusterMoney out_;
    std::vector<plan::SoldMachine> sold_;
    const bool is_something_sold_;
    rules::Resources asked_;  // By pods on our nodes, those of daemons aside.
    rules::Money of_others_;
};

// Of all nodes.
ClusterMoney money_of(const model::Cluster& cluster, const NodePrices& prices);

}  // namespace joiner::control
