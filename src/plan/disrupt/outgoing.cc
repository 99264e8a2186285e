#include "plan/disrupt/outgoing.h"

#include <algorithm>
#include <map>
#include <string>

#include "api/names.h"
#include "plan/disrupt/drift.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

// Nodes that were bought together expire together, and budgets let them go one after the other.
constexpr Duration kLongestNearEnd = std::chrono::hours{1};
constexpr int kPartOfLife = 10;

bool is_near_its_end(const api::NodeClaim& claim, WallTime now) {
    if (!claim.expire_after.value) return false;
    const Duration life = *claim.expire_after.value;
    return is_expired(claim, now + std::min<Duration>(life / kPartOfLife, kLongestNearEnd));
}

bool has_drifted(const api::NodeClaim& claim, const api::NodePool& pool) {
    return rules::is_true(claim.conditions, "Drifted") || is_of_old_template(claim, pool);
}

}  // namespace

bool is_outgoing(const api::NodeClaim& claim, const api::NodePool& pool, WallTime now) {
    return has_drifted(claim, pool) || is_near_its_end(claim, now);
}

model::ClaimNames outgoing_claims(const model::Cluster& cluster, const DisruptionGate& gate, WallTime now) {
    struct Lets {
        bool drifted_go = false;
        bool expired_go = false;
    };
    std::map<std::string_view, Lets> lets;  // By pool.
    model::ClaimNames out;
    for (const auto& [name, state] : cluster.our_claims()) {
        const model::PoolState* pool =
            cluster.find_pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        if (pool == nullptr) continue;
        const std::string& its_name = pool->pool.meta.name;
        const auto [it, is_new] = lets.try_emplace(its_name);
        if (is_new) it->second = {!gate.closed(its_name, kDrifted), !gate.closed(its_name, kExpired)};
        if ((it->second.drifted_go && has_drifted(state.claim, pool->pool)) ||
            (it->second.expired_go && is_near_its_end(state.claim, now)))
            out.insert(name);
    }
    return out;
}

void close_rooms(model::Snapshot& snapshot, const model::Cluster& cluster, const model::ClaimNames& claims) {
    for (model::RoomView& room : snapshot.rooms) {
        const model::NodeState* node = cluster.find_node(room.name);
        const model::ClaimState* claim = node == nullptr ? nullptr : cluster.claim_of(node->node);
        if (claim != nullptr && claims.contains(claim->claim.meta.name)) room.free = {};
    }
}

}  // namespace joiner::plan
