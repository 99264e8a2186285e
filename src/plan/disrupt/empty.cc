#include "plan/disrupt/empty.h"

#include <algorithm>
#include <set>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "plan/lifecycle/node_step.h"
#include "rules/budget.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

// A pod that somebody would miss: it would have to be made again elsewhere.
bool is_reschedulable(const model::PodState& pod) {
    if (pod.is_terminal || pod.is_daemon || pod.is_mirror) return false;
    return !pod.deleted || pod.is_stateful;
}

bool is_empty(const model::Cluster& cluster, const model::NodeState& node, WallTime now) {
    return std::none_of(node.pods.begin(), node.pods.end(), [&](const model::PodKey& key) {
        const model::PodState* pod = cluster.find_pod(key);
        return pod != nullptr &&
               (is_reschedulable(*pod) || (pod->is_active() && do_not_disrupt_is_active(*pod, now)));
    });
}

struct PoolUse {
    std::int64_t nodes = 0;
    std::int64_t disrupted = 0;
};

bool is_initialized(const api::NodeClaim& claim) {
    return rules::is_true(claim.conditions, "Initialized");
}

std::map<std::string, PoolUse, std::less<>> count_pools(const model::Cluster& cluster) {
    std::map<std::string, PoolUse, std::less<>> out;
    for (const auto& [name, state] : cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        const model::NodeState* node = cluster.node_of(claim);
        if (node == nullptr || !is_initialized(claim) ||
            rules::is_true(claim.conditions, "InstanceTerminating"))
            continue;
        PoolUse& use = out[std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel))];
        ++use.nodes;
        if (claim.meta.deleted || node->node.meta.deleted || !is_ready(node->node)) ++use.disrupted;
    }
    return out;
}

}  // namespace

std::optional<WallTime> consolidatable_at(const api::NodeClaim& claim, const api::NodePool& pool,
                                          WallTime last_pod_event) {
    if (!pool.consolidate_after.value || pool.replicas) return std::nullopt;
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    if (initialized == nullptr || initialized->status != "True") return std::nullopt;
    WallTime since = std::max(last_pod_event, claim.last_pod_event.value_or(kNoTime));
    if (since == kNoTime) since = initialized->last_transition;
    return since + *pool.consolidate_after.value;
}

EmptyPlan plan_empty(const EmptyFacts& facts, WallTime now) {
    EmptyPlan plan;
    std::set<std::string_view> planned_claims;
    for (const auto& [uid, claim] : facts.planned) planned_claims.insert(claim);
    const auto use = count_pools(facts.cluster);
    std::map<std::string, std::int64_t, std::less<>> left;
    for (const auto& [name, state] : facts.cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        const model::NodeState* node = facts.cluster.node_of(claim);
        if (claim.meta.deleted || node == nullptr || node->node.meta.deleted || planned_claims.contains(name))
            continue;
        const model::PoolState* pool =
            facts.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
        if (pool == nullptr) continue;
        if (api::find_or_empty(node->node.meta.annotations, api::kDoNotDisruptAnnotation) == "true") continue;
        if (!is_empty(facts.cluster, *node, now)) continue;
        const auto event = facts.last_pod_event.find(name);
        const auto at = consolidatable_at(claim, pool->pool,
                                          event == facts.last_pod_event.end() ? kNoTime : event->second);
        if (!at) continue;
        if (*at > now) {
            plan.look_again_at = std::min(plan.look_again_at.value_or(*at), *at);
            continue;
        }
        const std::string& pool_name = pool->pool.meta.name;
        const auto [budget, is_new] = left.try_emplace(pool_name, 0);
        if (is_new) {
            const auto counted = use.find(pool_name);
            const PoolUse pool_use = counted == use.end() ? PoolUse{} : counted->second;
            const std::int64_t allowed = rules::allowed_disruptions(pool->pool, "Empty", pool_use.nodes, now);
            budget->second = allowed == rules::kUnlimited
                                 ? allowed
                                 : std::max<std::int64_t>(0, allowed - pool_use.disrupted);
            if (allowed == 0) plan.blocked_pools.push_back(pool_name);
        }
        if (budget->second <= 0) continue;
        if (budget->second != rules::kUnlimited) --budget->second;
        plan.claims.push_back(name);
    }
    return plan;
}

}  // namespace joiner::plan
