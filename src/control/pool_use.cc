#include "control/pool_use.h"

#include <cstdlib>

#include "api/names.h"

namespace joiner::control {

UseByPool use_by_pool(const model::Cluster& cluster) {
    UseByPool out;
    for (const auto& [name, state] : cluster.our_claims()) {
        const model::NodeState* node = cluster.node_of(state.claim);
        if (state.claim.meta.deleted || node == nullptr) continue;
        PoolUse& use = out[std::string(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel))];
        use.capacity += rules::as_capacity(node->node.capacity);
        ++use.nodes;
        const std::string price(api::find_or_empty(node->node.meta.labels, "eks-node-viewer/instance-price"));
        use.price += std::strtod(price.c_str(), nullptr);
    }
    return out;
}

}  // namespace joiner::control
