#include "plan/disrupt/empty.h"

#include <algorithm>

#include "api/names.h"

namespace joiner::plan {
namespace {

bool is_empty(const model::Cluster& cluster, const model::NodeState& node) {
    return std::none_of(node.pods.begin(), node.pods.end(), [&](const model::PodKey& key) {
        const model::PodState* pod = cluster.find_pod(key);
        return pod != nullptr && pod->is_reschedulable();
    });
}

}  // namespace

EmptyPlan plan_empty(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now) {
    EmptyPlan plan;
    const CandidateFinder finder(facts, DisruptionClass::kGraceful, now);
    for (const auto& [name, state] : facts.cluster.claims()) {
        if (facts.headroom != nullptr && facts.headroom->contains(name)) continue;
        if (finder.is_out_of_play(state) || !is_empty(facts.cluster, *facts.cluster.node_of(state.claim)) ||
            !finder.obstacle(state).empty())
            continue;
        const api::NodePool& pool =
            facts.cluster.find_pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel))->pool;
        const auto at = consolidatable_at(state.claim, pool, finder.last_pod_event(name));
        if (!at) continue;
        if (*at > now) {
            plan.look_again_at = std::min(plan.look_again_at.value_or(*at), *at);
        } else if (gate.admit({finder.make(state)}, kEmpty)) {
            plan.claims.push_back(name);
        }
    }
    return plan;
}

}  // namespace joiner::plan
