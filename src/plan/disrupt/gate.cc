#include "plan/disrupt/gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/budget.h"
#include "rules/conditions.h"

namespace joiner::plan {

DisruptionGate::DisruptionGate(const GateFacts& facts, WallTime now) : facts_(facts), now_(now) {
    for (const auto& [name, state] : facts.cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        const model::NodeState* node = facts.cluster.node_of(claim);
        if (node == nullptr || !rules::is_true(claim.conditions, "Initialized") ||
            rules::is_true(claim.conditions, "InstanceTerminating"))
            continue;
        Use& use = use_[std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel))];
        ++use.nodes;
        if (claim.meta.deleted || node->node.meta.deleted || !is_ready(node->node) ||
            facts.leaving.contains(name))
            ++use.disrupted;
    }
}

DisruptionGate::Use DisruptionGate::use_of(std::string_view pool) const {
    const auto it = use_.find(pool);
    return it == use_.end() ? Use{} : it->second;
}

std::int64_t DisruptionGate::left(const std::string& pool, std::string_view reason) const {
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    if (state == nullptr) return 0;
    // An empty node needs no replacement.
    if (reason != kEmpty && facts_.held_pools.contains(pool)) return 0;
    const Use use = use_of(pool);
    const std::int64_t allowed = rules::allowed_disruptions(state->pool, reason, use.nodes, now_);
    if (allowed == rules::kUnlimited) return allowed;
    return std::max<std::int64_t>(0, allowed - use.disrupted);
}

bool DisruptionGate::admit(const std::string& pool, std::string_view reason) {
    if (left(pool, reason) > 0) {
        ++use_[pool].disrupted;
        return true;
    }
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    if (state == nullptr) return false;
    const auto held = facts_.held_pools.find(pool);
    if (reason != kEmpty && held != facts_.held_pools.end()) {
        refusals_.emplace(pool, held->second);
    } else if (rules::allowed_disruptions(state->pool, reason, use_of(pool).nodes, now_) == 0) {
        refusals_.emplace(pool,
                          fmt::format("no node may be disrupted as {} now, by the pool's budgets", reason));
    }
    return false;
}

std::vector<DisruptionGate::Refusal> DisruptionGate::refusals() const {
    std::vector<Refusal> out;
    for (const auto& [pool, why] : refusals_) out.push_back({pool, why});
    return out;
}

}  // namespace joiner::plan
