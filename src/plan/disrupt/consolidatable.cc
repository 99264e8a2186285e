#include "plan/disrupt/consolidatable.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

// What keeps the node whatever time passes; one sentence, or empty.
std::string lasting_obstacle(const CandidateFinder& finder, const api::NodePool& pool,
                             const api::Node& node) {
    if (!pool.consolidate_after.value)
        return fmt::format("NodePool {} has consolidation turned off", pool.meta.name);
    if (pool.consolidation_policy == "WhenEmpty")
        return fmt::format("NodePool {} consolidates empty nodes only", pool.meta.name);
    for (const std::string_view key : {api::kInstanceTypeLabel, api::kCapacityTypeLabel, api::kZoneLabel}) {
        if (api::find_or_empty(node.meta.labels, key).empty())
            return fmt::format("the node has no label {}", key);
    }
    if (finder.type_of(pool, node) == nullptr)
        return fmt::format("instance type {} is not known",
                           api::find_or_empty(node.meta.labels, api::kInstanceTypeLabel));
    return {};
}

void mix(std::uint64_t& mark, std::uint64_t value) {
    mark ^= value + 0x9e3779b97f4a7c15ULL + (mark << 6) + (mark >> 2);
}

}  // namespace

Consolidatable find_consolidatable(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now) {
    Consolidatable out;
    const CandidateFinder finder(facts, DisruptionClass::kGraceful, now);
    std::map<std::string_view, bool> closed;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const model::PoolState* pool_state =
            facts.cluster.find_pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        if (pool_state == nullptr || pool_state->pool.replicas || finder.is_out_of_play(state)) continue;
        const api::NodePool& pool = pool_state->pool;
        const api::Node& node = facts.cluster.node_of(state.claim)->node;
        const auto why = [&](std::string reason) { return Blocked{name, node.meta.name, std::move(reason)}; };
        Candidate candidate = finder.make(state);
        if (pool.consolidation_policy == "Balanced" && facts.types(pool) != nullptr) {
            out.balanced[pool.meta.name].price += candidate.price;
            out.balanced[pool.meta.name].disruption += candidate.disruption_cost;
        }
        if (std::string obstacle = finder.obstacle(state); !obstacle.empty()) {
            out.blocked.push_back(why(std::move(obstacle)));
            continue;
        }
        if (candidate.pods.empty()) {
            if (pool.consolidate_after.value) out.candidates.push_back(std::move(candidate));
            continue;
        }
        if (std::string obstacle = lasting_obstacle(finder, pool, node); !obstacle.empty()) {
            out.unconsolidatable.push_back(why(std::move(obstacle)));
            continue;
        }
        const auto [it, is_new] = closed.try_emplace(pool.meta.name);
        if (is_new) it->second = gate.refuses(pool.meta.name, kUnderutilized);
        if (it->second) continue;
        const auto at = consolidatable_at(state.claim, pool, finder.last_pod_event(name));
        if (!at) continue;
        if (*at > now) {
            out.look_again_at = std::min(out.look_again_at.value_or(*at), *at);
        } else {
            out.candidates.push_back(std::move(candidate));
        }
    }
    return out;
}

std::uint64_t consolidation_mark(const model::Cluster& cluster, const DisruptionGate& gate) {
    std::uint64_t mark = 0;
    const std::hash<std::string_view> hash;
    for (const auto& [name, state] : cluster.claims()) {
        const model::NodeState* node = cluster.node_of(state.claim);
        mix(mark, hash(state.claim.meta.uid));
        std::uint64_t bits = state.claim.meta.deleted ? 1 : 0;
        bits |= rules::is_true(state.claim.conditions, "Initialized") ? 2 : 0;
        if (node != nullptr) {
            bits |= node->node.meta.deleted ? 4 : 0;
            bits |= is_ready(node->node) ? 8 : 0;
            bits |= rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule) ? 16 : 0;
        }
        mix(mark, bits);
    }
    for (const auto& [name, state] : cluster.pools()) {
        mix(mark, hash(state.pool.meta.uid));
        mix(mark, static_cast<std::uint64_t>(state.pool.meta.generation));
        mix(mark, hash(api::find_or_empty(state.pool.meta.annotations, api::kNodeCostAnnotation)));
        // Windows and pauses begin and end by themselves.
        mix(mark, gate.closed(name, kUnderutilized).empty() ? 1 : 0);
    }
    return mark;
}

}  // namespace joiner::plan
