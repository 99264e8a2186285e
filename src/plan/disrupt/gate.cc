#include "plan/disrupt/gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "plan/lifecycle/reboot.h"
#include "rules/budget.h"
#include "rules/conditions.h"
#include "rules/pace.h"

namespace joiner::plan {

DisruptionGate::DisruptionGate(const GateFacts& facts, WallTime now) : facts_(facts), now_(now) {
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const api::NodeClaim& claim = state.claim;
        const model::NodeState* node = facts.cluster.node_of(claim);
        // A node that is being rebooted is not initialised for as long as that takes.
        const bool is_up = rules::is_true(claim.conditions, "Initialized") || is_rebooting(claim);
        if (node == nullptr || !is_up || rules::is_true(claim.conditions, "InstanceTerminating")) continue;
        Use& use = use_[std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel))];
        ++use.nodes;
        if (claim.meta.deleted || node->node.meta.deleted || facts.leaving.contains(name) ||
            is_rebooting(claim)) {
            ++use.disrupted;
        } else if (!is_ready(node->node)) {
            ++use.unready;
        }
    }
}

DisruptionGate::Use DisruptionGate::use_of(std::string_view pool) const {
    const auto it = use_.find(pool);
    return it == use_.end() ? Use{} : it->second;
}

std::string DisruptionGate::closed(const std::string& pool, std::string_view reason) const {
    // An empty node needs no replacement.
    const auto held = facts_.held_pools.find(pool);
    if (paused(pool).empty() && reason != kEmpty && held != facts_.held_pools.end()) return held->second;
    return forbidden(pool, reason);
}

std::string DisruptionGate::paused(const std::string& pool) const {
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    if (state == nullptr) return fmt::format("there is no NodePool \"{}\"", pool);
    return rules::pause_reason(state->pool, now_);
}

std::string DisruptionGate::forbidden(const std::string& pool, std::string_view reason) const {
    if (std::string why = paused(pool); !why.empty()) return why;
    if (allowed(pool, reason) > 0) return {};
    const Status read = rules::check_budgets(facts_.cluster.find_pool(pool)->pool);
    return fmt::format("no node may be disrupted as {} now, by the pool's budgets{}", reason,
                       read ? "" : ": " + read.error().message);
}

std::int64_t DisruptionGate::allowed(const std::string& pool, std::string_view reason) const {
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    return state == nullptr ? 0 : rules::allowed_disruptions(state->pool, reason, use_of(pool).nodes, now_);
}

std::int64_t DisruptionGate::left(const std::string& pool, std::string_view reason) const {
    if (!closed(pool, reason).empty()) return 0;
    const std::int64_t most = allowed(pool, reason);
    if (most == rules::kUnlimited) return most;
    // To repair them is what the reason is for.
    const Use use = use_of(pool);
    const std::int64_t under_way = use.disrupted + (reason == kUnhealthy ? 0 : use.unready);
    return std::max<std::int64_t>(0, most - under_way);
}

bool DisruptionGate::refuses(const std::string& pool, std::string_view reason) {
    std::string why = closed(pool, reason);
    if (why.empty()) return false;
    refusals_.emplace(pool, std::move(why));
    return true;
}

std::string DisruptionGate::pace_obstacle(const std::string& pool, std::int64_t pods) const {
    const auto limit = rules::pod_moves_per_hour(facts_.cluster.find_pool(pool)->pool).value();
    if (pods == 0 || !limit) return {};
    const auto lately = facts_.moved_lately.find(pool);
    const std::int64_t moved =
        use_of(pool).moved + (lately == facts_.moved_lately.end() ? 0 : lately->second);
    // What is more than a whole hour's worth takes an hour of its own.
    if (moved + pods <= *limit || (moved == 0 && *limit > 0)) return {};
    const auto eases = facts_.pace_eases.find(pool);
    return fmt::format("the pace of {} ({}) leaves no room{}", api::kPodMovesAnnotation, *limit,
                       eases == facts_.pace_eases.end() ? "" : " until " + format_rfc3339(eases->second));
}

bool DisruptionGate::admit(const std::vector<Candidate>& leaving, std::string_view reason) {
    struct Wish {
        std::int64_t nodes = 0;
        std::int64_t pods = 0;
    };
    std::map<std::string, Wish> wishes;
    for (const Candidate& candidate : leaving) {
        Wish& wish = wishes[candidate.pool];
        ++wish.nodes;
        wish.pods += static_cast<std::int64_t>(candidate.pods.size());
    }
    bool are_admitted = true;
    for (const auto& [pool, wish] : wishes) {
        (void)refuses(pool, reason);
        if (left(pool, reason) < wish.nodes) {
            are_admitted = false;
        } else if (std::string why = pace_obstacle(pool, wish.pods); !why.empty()) {
            are_admitted = false;
            refusals_.emplace(pool, std::move(why));
        }
    }
    if (!are_admitted) return false;
    for (const auto& [pool, wish] : wishes) {
        use_[pool].disrupted += wish.nodes;
        use_[pool].moved += wish.pods;
    }
    return true;
}

std::vector<DisruptionGate::Refusal> DisruptionGate::refusals() const {
    std::vector<Refusal> out;
    for (const auto& [pool, why] : refusals_) out.push_back({pool, why});
    return out;
}

}  // namespace joiner::plan
