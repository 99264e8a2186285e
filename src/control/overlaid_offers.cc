#include "control/overlaid_offers.h"

namespace joiner::control {

cloud::InstanceTypes OverlaidOffers::instance_types(const api::NodePool& pool) {
    refresh();
    const auto it = overlaid_.by_pool.find(pool.meta.name);
    return it == overlaid_.by_pool.end() ? own_.instance_types(pool) : it->second;
}

const std::vector<rules::OverlayProblem>& OverlaidOffers::problems() {
    refresh();
    return overlaid_.problems;
}

OverlaidOffers::Inputs OverlaidOffers::inputs() const {
    Inputs out;
    for (const auto& [name, kept] : cluster_.overlays()) {
        const api::ObjectMeta& meta = kept.object.meta;
        if (!meta.deleted) out.overlays.emplace_back(meta.uid, meta.generation);
    }
    for (const auto& [name, state] : cluster_.our_pools()) {
        out.pools.emplace_back(state.pool.meta.uid, state.pool.meta.generation);
        out.types.push_back(own_.instance_types(state.pool));
    }
    return out;
}

void OverlaidOffers::refresh() {
    if (seen_version_ == cluster_.offers_version()) return;
    seen_version_ = cluster_.offers_version();
    Inputs now = inputs();
    if (now == seen_) return;
    seen_ = std::move(now);
    overlaid_ = model::overlaid_types(cluster_, [this](const api::NodePool& pool) {
        return cluster_.find_pool(pool.meta.name)->is_ours ? own_.instance_types(pool) : nullptr;
    });
}

}  // namespace joiner::control
