#include "plan/disrupt/expired.h"

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"

namespace joiner::plan {

std::vector<Expired> find_expired(const DisruptionFacts& facts, WallTime now) {
    std::vector<std::pair<WallTime, Expired>> found;
    const CandidateFinder finder(facts, DisruptionClass::kEventual, now);
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const model::PoolState* pool =
            facts.cluster.find_pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        if (pool == nullptr || !is_expired(state.claim, now) || finder.is_out_of_play(state)) continue;
        const WallTime since = state.claim.meta.created + *state.claim.expire_after.value;
        found.push_back({since, {finder.make(state), pool->pool.replicas || now - since >= kExpiryPatience}});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Expired> out;
    for (auto& [since, expired] : found) out.push_back(std::move(expired));
    return out;
}

}  // namespace joiner::plan
