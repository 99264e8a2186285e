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

std::optional<Reason> DisruptionGate::closed(const std::string& pool, std::string_view reason) const {
    // An empty node needs no replacement.
    const auto held = facts_.held_pools.find(pool);
    if (!paused(pool) && reason != kEmpty && held != facts_.held_pools.end())
        return Reason{.rule = Rule::kHeld, .object = "NodePool " + pool, .detail = held->second};
    return forbidden(pool, reason);
}

std::optional<Reason> DisruptionGate::paused(const std::string& pool) const {
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    if (state == nullptr) return Reason{.rule = Rule::kPoolMissing, .detail = pool};
    if (std::string why = rules::pause_reason(state->pool, now_); !why.empty())
        return Reason{.rule = Rule::kPaused, .object = "NodePool " + pool, .detail = std::move(why)};
    return std::nullopt;
}

std::optional<Reason> DisruptionGate::forbidden(const std::string& pool, std::string_view reason) const {
    if (std::optional<Reason> why = paused(pool)) return why;
    if (allowed(pool, reason) > 0) return std::nullopt;
    const Status read = rules::check_budgets(facts_.cluster.find_pool(pool)->pool);
    return Reason{.rule = Rule::kBudget,
                  .object = "NodePool " + pool,
                  .detail = fmt::format("no node may be disrupted as {} now, by the pool's budgets{}", reason,
                                        read ? "" : ": " + read.error().message),
                  .amounts = {{"allowed", 0}, {"nodes", use_of(pool).nodes}}};
}

std::int64_t DisruptionGate::allowed(const std::string& pool, std::string_view reason) const {
    const model::PoolState* state = facts_.cluster.find_pool(pool);
    return state == nullptr ? 0 : rules::allowed_disruptions(state->pool, reason, use_of(pool).nodes, now_);
}

std::int64_t DisruptionGate::left(const std::string& pool, std::string_view reason) const {
    if (closed(pool, reason)) return 0;
    const std::int64_t most = allowed(pool, reason);
    if (most == rules::kUnlimited) return most;
    return std::max<std::int64_t>(0, most - under_way(pool, reason));
}

std::int64_t DisruptionGate::under_way(const std::string& pool, std::string_view reason) const {
    const Use use = use_of(pool);
    // To repair those that are not ready is what that reason is for.
    return use.disrupted + (reason == kUnhealthy ? 0 : use.unready);
}

Reasons& DisruptionGate::answer(const std::string& pool, std::string_view reason) {
    return answers_[{pool, reason}];
}

bool DisruptionGate::refuses(const std::string& pool, std::string_view reason) {
    Reasons& refusals = answer(pool, reason);
    std::optional<Reason> why = closed(pool, reason);
    if (!why) return false;
    if (std::find(refusals.begin(), refusals.end(), *why) == refusals.end())
        refusals.push_back(std::move(*why));
    return true;
}

std::optional<Reason> DisruptionGate::pace_obstacle(const std::string& pool, std::int64_t pods) const {
    const auto limit = rules::pod_moves_per_hour(facts_.cluster.find_pool(pool)->pool).value();
    if (pods == 0 || !limit) return std::nullopt;
    const auto lately = facts_.moved_lately.find(pool);
    const std::int64_t moved =
        use_of(pool).moved + (lately == facts_.moved_lately.end() ? 0 : lately->second);
    // What is more than a whole hour's worth takes an hour of its own.
    if (moved + pods <= *limit || (moved == 0 && *limit > 0)) return std::nullopt;
    const auto eases = facts_.pace_eases.find(pool);
    const bool is_known = eases != facts_.pace_eases.end();
    return Reason{.rule = Rule::kPace,
                  .object = "NodePool " + pool,
                  .detail = fmt::format("the pace of {} ({}) leaves no room{}", api::kPodMovesAnnotation,
                                        *limit, is_known ? " until " + format_rfc3339(eases->second) : ""),
                  .amounts = {{"limit", *limit}, {"moved", moved}},
                  .until = is_known ? eases->second : kNoTime};
}

std::map<std::string, DisruptionGate::Wish> DisruptionGate::wishes_of(const std::vector<Candidate>& leaving) {
    std::map<std::string, Wish> out;
    for (const Candidate& candidate : leaving) {
        Wish& wish = out[candidate.pool];
        ++wish.nodes;
        wish.pods += static_cast<std::int64_t>(candidate.pods.size());
    }
    return out;
}

bool DisruptionGate::admit(const std::vector<Candidate>& leaving, std::string_view reason) {
    const std::map<std::string, Wish> wishes = wishes_of(leaving);
    bool are_admitted = true;
    for (const auto& [pool, wish] : wishes) {
        (void)refuses(pool, reason);
        if (left(pool, reason) < wish.nodes) {
            are_admitted = false;
        } else if (std::optional<Reason> why = pace_obstacle(pool, wish.pods)) {
            are_admitted = false;
            Reasons& refusals = answer(pool, reason);
            if (std::find(refusals.begin(), refusals.end(), *why) == refusals.end())
                refusals.push_back(std::move(*why));
        }
    }
    if (!are_admitted) return false;
    for (const auto& [pool, wish] : wishes) {
        use_[pool].disrupted += wish.nodes;
        use_[pool].moved += wish.pods;
    }
    return true;
}

Reasons DisruptionGate::obstacles(const std::vector<Candidate>& leaving, std::string_view reason) const {
    Reasons out;
    for (const auto& [pool, wish] : wishes_of(leaving)) {
        if (std::optional<Reason> why = closed(pool, reason)) {
            out.push_back(std::move(*why));
        } else if (left(pool, reason) < wish.nodes) {
            out.push_back({.rule = Rule::kBudgetUsedUp,
                           .object = "NodePool " + pool,
                           .detail = std::string(reason),
                           .amounts = {{"allowed", allowed(pool, reason)},
                                       {"disrupted", use_of(pool).disrupted},
                                       {"nodes", use_of(pool).nodes}}});
        } else if (std::optional<Reason> pace = pace_obstacle(pool, wish.pods)) {
            out.push_back(std::move(*pace));
        }
    }
    return out;
}

std::vector<DisruptionGate::Answer> DisruptionGate::answers() const {
    std::vector<Answer> out;
    for (const auto& [asked, refusals] : answers_) out.push_back({asked.first, asked.second, refusals});
    return out;
}

std::vector<DisruptionGate::Refusal> DisruptionGate::refusals() const {
    std::vector<Refusal> out;
    for (const auto& [asked, refusals] : answers_) {
        for (const Reason& why : refusals) {
            const bool is_known = std::any_of(out.begin(), out.end(), [&](const Refusal& one) {
                return one.pool == asked.first && one.why == why;
            });
            if (!is_known) out.push_back({asked.first, why});
        }
    }
    return out;
}

}  // namespace joiner::plan
