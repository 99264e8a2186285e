// What the nodes of each NodePool add up to: what its status and its gauges say. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/cluster.h"
#include "rules/resources.h"

namespace joiner::control {

// Of our claims that have a node and are not on their way out.
struct PoolUse {
    rules::Resources capacity;
    std::int64_t nodes = 0;
    double price = 0;  // Dollars an hour, as far as the nodes' labels say.
};
using UseByPool = std::map<std::string, PoolUse, std::less<>>;

// A pool without nodes is not in it. Goes over all claims once.
UseByPool use_by_pool(const model::Cluster& cluster);

}  // namespace joiner::control
