#include "cli/planning_ground.h"

#include <fmt/format.h>

#include "model/headroom.h"
#include "rules/budget.h"
#include "rules/capacity_ratio.h"

namespace joiner::cli {

PlanningGround::PlanningGround(const model::Cluster& cluster, GroundSources sources)
    : cluster_(cluster),
      sources_(std::move(sources)),
      overlaid_(model::overlaid_types(cluster, sources_.types)),
      labels_(sources_.labels()) {
    inputs_.types = [this](const api::NodePool& pool) { return overlaid_.by_pool.at(pool.meta.name); };
    inputs_.well_known = [this](const auto&) { return labels_.well_known; };
    inputs_.types_source = sources_.types_source;
    inputs_.default_spread = &sources_.default_spread;
    inputs_.commitments = &sources_.commitments;
    inputs_.is_usable = [this](const api::NodePool& pool) {
        if (const auto stand_in = sources_.stand_in ? sources_.stand_in(pool) : std::nullopt)
            return *stand_in;
        return rules::validate_node_pool(pool, labels_).empty() && !pool.replicas && !pool.meta.deleted;
    };
}

void PlanningGround::warn_of_pools(const model::Snapshot& snapshot, std::vector<std::string>& out) const {
    for (const auto& [name, state] : cluster_.pools()) {
        if (sources_.stand_in && sources_.stand_in(state.pool)) continue;
        const std::string problems = rules::validate_node_pool(state.pool, labels_);
        if (!problems.empty()) {
            out.push_back(fmt::format("NodePool {} is not used: {}", name, problems));
        } else if (state.pool.replicas) {
            out.push_back(fmt::format(
                "NodePool {} is static: it has its spec.replicas nodes, and buys none for pods", name));
        }
    }
    for (const model::PoolView& pool : snapshot.pools) {
        if (!pool.commitment.empty() || pool.is_spot_part) continue;
        if (std::string text = sources_.nothing_sold(pool); !text.empty()) out.push_back(std::move(text));
    }
    for (const auto& [name, state] : cluster_.pools()) {
        if (const rules::RatioWish wish = rules::ratio_wish(state.pool); !wish.problem.empty())
            out.push_back(
                fmt::format("NodePool {} keeps no ratio of on-demand to spot: {}", name, wish.problem));
    }
}

void PlanningGround::warn_of_budgets(std::vector<std::string>& out) const {
    for (const auto& [name, state] : cluster_.pools()) {
        if (const Status budgets = rules::check_budgets(state.pool); !budgets)
            out.push_back(
                fmt::format("NodePool {}: none of its nodes is removed, for a budget cannot be read: {}",
                            name, budgets.error().message));
    }
}

void PlanningGround::warn_of_overlays_and_buffers(std::vector<std::string>& out) const {
    for (const rules::OverlayProblem& one : overlaid_.problems)
        out.push_back(fmt::format("NodeOverlay {} is not applied: {}", one.overlay, one.problem));
    for (const auto& [name, kept] : cluster_.buffers()) {
        if (const model::Headroom headroom = model::headroom_of(cluster_, kept.object);
            headroom.source == nullptr)
            out.push_back(fmt::format("CapacityBuffer {} keeps no room: {}", name, headroom.problem));
    }
}

}  // namespace joiner::cli
