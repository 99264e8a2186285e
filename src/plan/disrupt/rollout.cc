#include "plan/disrupt/rollout.h"

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

const api::Condition* drifted(const api::NodeClaim& claim) {
    const api::Condition* condition = api::find_condition(claim.conditions, "Drifted");
    return condition != nullptr && condition->status == "True" ? condition : nullptr;
}

std::string_view pool_of(const api::NodeClaim& claim) {
    return api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
}

std::string_view hash_of(const api::ObjectMeta& meta) {
    return api::find_or_empty(meta.annotations, api::kNodePoolHashAnnotation);
}

}  // namespace

bool Rollout::has_taken_it_well(const model::ClaimState& state, const api::NodePool& pool,
                                WallTime since) const {
    const api::NodeClaim& claim = state.claim;
    // A claim that is not looked at yet since the change does not say so by its condition.
    if (claim.meta.deleted || drifted(claim) != nullptr || claim.meta.created < since ||
        hash_of(claim.meta) != hash_of(pool.meta) || !rules::is_true(claim.conditions, "Initialized"))
        return false;
    const model::NodeState* node = cluster_.node_of(claim);
    if (node == nullptr || node->node.meta.deleted || !is_ready(node->node)) return false;
    return std::all_of(node->pods.begin(), node->pods.end(), [](const auto& one) {
        return !one.second->is_reschedulable() || one.second->is_ready;
    });
}

std::int64_t Rollout::wave(const api::NodePool& pool, const std::string& reason) const {
    WallTime since = kNoTime;
    for (const auto& [name, state] : cluster_.our_claims()) {
        const api::Condition* condition = drifted(state.claim);
        if (condition != nullptr && condition->reason == reason && pool_of(state.claim) == pool.meta.name)
            since = std::max(since, condition->last_transition);
    }
    std::int64_t well = 0;
    for (const auto& [name, state] : cluster_.our_claims()) {
        if (pool_of(state.claim) == pool.meta.name && has_taken_it_well(state, pool, since)) ++well;
    }
    return std::max<std::int64_t>(1, well);
}

bool Rollout::admit(const api::NodeClaim& claim) {
    const api::Condition* condition = drifted(claim);
    const model::PoolState* pool = cluster_.find_pool(pool_of(claim));
    if (condition == nullptr || pool == nullptr) return false;
    std::int64_t& moving = moving_[pool->pool.meta.name];
    const auto [known, is_new] = waves_.try_emplace({pool->pool.meta.name, condition->reason}, 0);
    if (is_new) known->second = wave(pool->pool, condition->reason);
    if (moving >= known->second) return false;
    ++moving;
    return true;
}

}  // namespace joiner::plan
