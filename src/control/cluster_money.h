// What the cluster costs an hour, and what it could not cost less than: one sum, for the page and for the
// metrics. Pure; loop thread, since the model is.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

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

// Goes over all nodes once. REQUIRES: `prices` has looked.
ClusterMoney money_of(const model::Cluster& cluster, const NodePrices& prices);

}  // namespace joiner::control
