#include "cli/missing_claims.h"

#include "api/names.h"

namespace joiner::cli {

api::NodeClaim claim_for(const api::Node& node, const api::NodePool& pool) {
    api::NodeClaim out;
    out.meta.name = node.meta.name;
    out.meta.labels = node.meta.labels;
    out.meta.created = node.meta.created;
    out.node_class = pool.node_template.node_class;
    out.termination_grace_period = pool.node_template.termination_grace_period;
    out.expire_after = {};
    out.node_name = node.meta.name;
    out.provider_id = node.provider_id;
    out.capacity = node.capacity;
    out.allocatable = node.allocatable;
    for (const char* type : {"Launched", "Registered", "Initialized"})
        out.conditions.push_back({type, "True", type, "", node.meta.created, 0});
    return out;
}

void add_missing_claims(model::Cluster& cluster) {
    std::vector<std::pair<api::Node, api::NodeClaim>> missing;
    for (const auto& [name, state] : cluster.nodes()) {
        const model::PoolState* pool =
            cluster.find_pool(api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel));
        if (pool == nullptr || cluster.claim_of(state.node) != nullptr || cluster.find_claim(name) != nullptr)
            continue;
        api::Node node = state.node;
        if (node.provider_id.empty()) node.provider_id = "written://" + name;
        // Without a claim it counts as up.
        node.meta.labels[std::string(api::kInitializedLabel)] = "true";
        api::NodeClaim claim = claim_for(node, pool->pool);
        missing.emplace_back(std::move(node), std::move(claim));
    }
    for (auto& [node, claim] : missing) {
        cluster.upsert(std::move(node));
        cluster.upsert(std::move(claim));
    }
}

}  // namespace joiner::cli
