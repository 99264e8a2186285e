#include "plan/lifecycle/static_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "api/names.h"
#include "plan/lifecycle/node_step.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

struct Count {
    std::int64_t active = 0;
    std::int64_t leaving = 0;
    std::int64_t deleting = 0;

    std::int64_t all() const { return active + leaving + deleting; }
};

bool is_of(const api::NodeClaim& claim, const api::NodePool& pool) {
    return api::find_or_empty(claim.meta.labels, api::kNodePoolLabel) == pool.meta.name;
}

Count count_claims(const StaticPoolFacts& facts) {
    Count out;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        if (!is_of(state.claim, facts.pool)) continue;
        if (state.claim.meta.deleted) {
            ++out.deleting;
        } else if (facts.leaving.contains(name)) {
            ++out.leaving;
        } else {
            ++out.active;
        }
    }
    return out;
}

std::int64_t node_limit(const api::NodePool& pool) {
    if (!pool.limits) return std::numeric_limits<std::int32_t>::max();
    const auto limit = pool.limits->find("nodes");
    return limit == pool.limits->end() ? std::numeric_limits<std::int32_t>::max()
                                       : limit->second.units_down();
}

// What it would cost to take the node away: who has not come up goes first, then who has nobody on it, those
// that must not be disrupted last.
struct Rank {
    int group = 0;
    double cost = 0;
    std::string name;

    friend bool operator<(const Rank& a, const Rank& b) {
        return std::tie(a.group, a.cost, a.name) < std::tie(b.group, b.cost, b.name);
    }
};

double lifetime_left(const api::NodeClaim& claim, WallTime now) {
    if (!claim.expire_after.value || claim.expire_after.value->count() <= 0) return 1;
    const double left = to_seconds(claim.meta.created + *claim.expire_after.value - now) /
                        to_seconds(*claim.expire_after.value);
    return std::clamp(left, 0.0, 1.0);
}

Rank rank_of(const StaticPoolFacts& facts, const api::NodeClaim& claim, WallTime now) {
    Rank out{0, 0, claim.meta.name};
    const model::NodeState* node = facts.cluster.node_of(claim);
    if (!rules::is_true(claim.conditions, "Launched") || node == nullptr) return out;
    bool is_protected =
        api::find_or_empty(node->node.meta.annotations, api::kDoNotDisruptAnnotation) == "true";
    bool is_empty = true;
    for (const auto& [key, pod] : node->pods) {
        if (pod->is_terminal) continue;
        is_protected |= pod->is_active() && do_not_disrupt_is_active(*pod, now);
        is_empty &= !pod->is_reschedulable();
        out.cost += eviction_cost(*pod);
    }
    out.cost *= lifetime_left(claim, now);
    out.group = is_protected ? 3 : (is_empty ? 1 : 2);
    return out;
}

}  // namespace

StaticPoolPlan plan_static_pool(const StaticPoolFacts& facts, WallTime now) {
    StaticPoolPlan out;
    const Count count = count_claims(facts);
    const std::int64_t replicas = facts.pool.replicas.value_or(0);
    const std::int64_t active = count.active + facts.creating;
    out.room = std::max<std::int64_t>(0, node_limit(facts.pool) - count.all() - facts.creating);
    if (active + count.leaving < replicas) {
        out.launches = std::min(out.room, replicas - active);
        out.room -= out.launches;
        if (active + out.launches < replicas)
            out.shortage = fmt::format("{} of {} replicas are kept: limits.nodes is {}",
                                       active + out.launches, replicas, node_limit(facts.pool));
    } else if (count.active > replicas) {
        std::vector<Rank> ranks;
        for (const auto& [name, state] : facts.cluster.our_claims()) {
            if (is_of(state.claim, facts.pool) && !state.claim.meta.deleted && !facts.leaving.contains(name))
                ranks.push_back(rank_of(facts, state.claim, now));
        }
        std::sort(ranks.begin(), ranks.end());
        ranks.resize(static_cast<std::size_t>(count.active - replicas));
        for (Rank& rank : ranks) out.remove.push_back(std::move(rank.name));
    }
    return out;
}

std::optional<std::int64_t> reservation_room(const DisruptionFacts& disruption,
                                             const StaticPoolFacts& facts) {
    const auto types = disruption.types(facts.pool);
    if (types == nullptr) return std::nullopt;
    auto room = reservation_room(facts.pool, *types, model::reservations_used(facts.cluster, nullptr));
    if (!room) return std::nullopt;
    *room -= facts.creating;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        if (is_of(state.claim, facts.pool) && state.claim.provider_id.empty()) --*room;
    }
    return std::max<std::int64_t>(0, *room);
}

std::optional<std::string_view> replacement_obstacle(const DisruptionFacts& disruption,
                                                     const StaticPoolFacts& facts) {
    const Count count = count_claims(facts);
    if (count.active + count.leaving + facts.creating > facts.pool.replicas.value_or(0)) return std::nullopt;
    if (const auto reserved = reservation_room(disruption, facts); reserved && *reserved == 0)
        return kNoReservedCapacity;
    const bool is_at_limit = node_limit(facts.pool) <= count.all() + facts.creating;
    return is_at_limit ? kStaticAtLimit : std::string_view{};
}

std::string obstacle_in_words(std::string_view obstacle, const api::NodePool& pool) {
    if (obstacle == kNoReservedCapacity)
        return "every reservation that the NodePool may use is full, which leaves no room";
    if (obstacle == kStaticAtLimit) return fmt::format("limits.nodes ({}) leaves no room", node_limit(pool));
    return {};
}

bool makes_room(const api::NodeClaim& claim, std::string_view obstacle, const DisruptionFacts& disruption,
                const StaticPoolFacts& facts) {
    if (obstacle != kNoReservedCapacity) return true;
    const auto types = disruption.types(facts.pool);
    return types != nullptr && gives_back_reservation(claim, facts.pool, *types);
}

StaticDrift plan_static_drift(const DisruptionFacts& disruption, const StaticPoolFacts& facts, WallTime now) {
    StaticDrift out;
    const CandidateFinder finder(disruption, DisruptionClass::kEventual, now);
    using Drifted = std::tuple<bool, WallTime, std::string>;
    std::vector<Drifted> order;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const api::Condition* drifted = api::find_condition(state.claim.conditions, "Drifted");
        if (!is_of(state.claim, facts.pool) || drifted == nullptr || drifted->status != "True" ||
            finder.is_out_of_play(state) || finder.has_obstacle(state))
            continue;
        order.emplace_back(!finder.make(state).pods.empty(), drifted->last_transition, name);
    }
    std::sort(order.begin(), order.end());
    if (order.empty()) return out;
    const std::optional<std::string_view> obstacle = replacement_obstacle(disruption, facts);
    if (!obstacle) return out;
    out.obstacle = *obstacle;
    for (const auto& [has_pods, since, name] : order) {
        const model::ClaimState& state = *facts.cluster.find_claim(name);
        const bool goes = makes_room(state.claim, out.obstacle, disruption, facts);
        (goes ? out.candidates : out.in_vain).push_back(finder.make(state));
    }
    return out;
}

}  // namespace joiner::plan
