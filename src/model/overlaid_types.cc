#include "model/overlaid_types.h"

#include "api/names.h"

namespace joiner::model {

OverlaidTypes overlaid_types(const Cluster& cluster,
                             const std::function<rules::InstanceTypes(const api::NodePool&)>& types) {
    std::vector<std::string> names;
    std::vector<rules::OverlaidPool> pools;
    for (const auto& [name, state] : cluster.pools()) {
        rules::InstanceTypes own = types(state.pool);
        if (own == nullptr) continue;
        names.push_back(name);
        rules::OverlaidPool& pool = pools.emplace_back();
        pool.types = std::move(own);
        pool.labels.add_labels(state.pool.node_template.labels);
        pool.labels.add(rules::Requirement::in(std::string(api::kNodePoolLabel), {name}));
    }
    std::vector<api::NodeOverlay> overlays;
    for (const auto& [name, kept] : cluster.overlays()) {
        if (!kept.object.meta.deleted) overlays.push_back(kept.object);
    }
    OverlaidTypes out;
    if (!overlays.empty()) out.problems = rules::apply_overlays(std::move(overlays), pools);
    for (std::size_t i = 0; i < pools.size(); ++i) out.by_pool[names[i]] = std::move(pools[i].types);
    return out;
}

}  // namespace joiner::model
