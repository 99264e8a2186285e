#include "plan/disrupt/consolidatable.h"

#include <algorithm>
#include <functional>

#include "api/names.h"
#include "plan/disrupt/outgoing.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

// What keeps the node whatever time passes: its pool's policy, and what is not known of it.
Reasons lasting_obstacles(const CandidateFinder& finder, const api::NodePool& pool, const api::Node& node) {
    Reasons out;
    const std::string object = "NodePool " + pool.meta.name;
    if (!pool.consolidate_after.value) {
        out.push_back({.rule = Rule::kConsolidationOff, .object = object});
    } else if (pool.consolidation_policy == "WhenEmpty") {
        out.push_back({.rule = Rule::kEmptyNodesOnly, .object = object});
    }
    for (const std::string_view key : {api::kInstanceTypeLabel, api::kCapacityTypeLabel, api::kZoneLabel}) {
        if (!api::find_or_empty(node.meta.labels, key).empty()) continue;
        out.push_back({.rule = Rule::kLabelMissing, .detail = std::string(key)});
        return out;
    }
    if (finder.type_of(pool, node) == nullptr)
        out.push_back({.rule = Rule::kTypeUnknown,
                       .detail = std::string(api::find_or_empty(node.meta.labels, api::kInstanceTypeLabel))});
    return out;
}

void mix(std::uint64_t& mark, std::uint64_t value) {
    mark ^= value + 0x9e3779b97f4a7c15ULL + (mark << 6) + (mark >> 2);
}

}  // namespace

Consolidatable find_consolidatable(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now) {
    Consolidatable out;
    const CandidateFinder finder(facts, DisruptionClass::kGraceful, now);
    std::map<std::string_view, std::optional<Reason>> closed;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const model::PoolState* pool_state =
            facts.cluster.find_pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        if (pool_state == nullptr || pool_state->pool.replicas || finder.is_out_of_play(state)) continue;
        const api::NodePool& pool = pool_state->pool;
        const api::Node& node = facts.cluster.node_of(state.claim)->node;
        const auto why = [&](Reasons reasons) { return Blocked{name, node.meta.name, std::move(reasons)}; };
        Candidate candidate = finder.make(state);
        if (pool.consolidation_policy == "Balanced" && facts.types(pool) != nullptr) {
            out.balanced[pool.meta.name].price += candidate.price;
            out.balanced[pool.meta.name].disruption += candidate.disruption_cost;
        }
        if (Reasons obstacles = finder.obstacles(state); !obstacles.empty()) {
            out.blocked.push_back(why(std::move(obstacles)));
            continue;
        }
        if (pool.consolidation_policy != "WhenEmpty") {
            if (std::optional<Reason> barred = consolidation_barred(node)) {
                out.blocked.push_back(why({std::move(*barred)}));
                continue;
            }
        }
        if (candidate.pods.empty()) {
            if (pool.consolidate_after.value) out.candidates.push_back(std::move(candidate));
            continue;
        }
        if (Reasons obstacles = lasting_obstacles(finder, pool, node); !obstacles.empty()) {
            out.unconsolidatable.push_back(why({std::move(obstacles.front())}));
            continue;
        }
        const auto [it, is_new] = closed.try_emplace(pool.meta.name);
        if (is_new && gate.refuses(pool.meta.name, kUnderutilized))
            it->second = gate.closed(pool.meta.name, kUnderutilized);
        if (it->second) {
            out.closed.push_back(why({*it->second}));
            continue;
        }
        const auto at = consolidatable_at(state.claim, pool, finder.last_pod_event(name));
        if (!at) continue;
        if (*at > now) {
            out.look_again_at = std::min(out.look_again_at.value_or(*at), *at);
            out.later.emplace_back(*at, std::move(candidate));
        } else {
            out.candidates.push_back(std::move(candidate));
        }
    }
    return out;
}

Reasons all_obstacles(const model::Cluster& cluster, const CandidateFinder& finder,
                      const DisruptionGate& gate, const model::ClaimState& state) {
    if (finder.is_out_of_play(state)) return {{.rule = Rule::kNotUp}};
    Reasons out = finder.obstacles(state, kMostKeepers);
    const std::string_view pool_name = api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel);
    const model::PoolState* pool_state = cluster.find_pool(pool_name);
    if (pool_state == nullptr) return out;
    const api::NodePool& pool = pool_state->pool;
    const model::NodeState& node = *cluster.node_of(state.claim);
    const auto add = [&](std::optional<Reason> reason) {
        if (reason) out.push_back(std::move(*reason));
    };
    if (pool.replicas) add(Reason{.rule = Rule::kStaticPool, .object = "NodePool " + pool.meta.name});
    if (pool.consolidation_policy != "WhenEmpty") add(consolidation_barred(node.node));
    if (is_empty(node)) {
        if (!pool.consolidate_after.value)
            add(Reason{.rule = Rule::kConsolidationOff, .object = "NodePool " + pool.meta.name});
        add(gate.closed(pool.meta.name, kEmpty));
    } else {
        for (Reason& reason : lasting_obstacles(finder, pool, node.node)) add(std::move(reason));
        add(gate.closed(pool.meta.name, kUnderutilized));
    }
    return out;
}

RepackQuestion make_consolidation_question(const model::Cluster& cluster, model::SnapshotInputs inputs,
                                           Consolidatable found, const DisruptionGate& gate, WallTime now) {
    RepackQuestion out = make_repack_question(cluster, std::move(inputs), std::move(found.candidates));
    out.balanced = std::move(found.balanced);
    close_rooms(out.snapshot, cluster, outgoing_claims(cluster, gate, now));
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
        for (const std::string_view key :
             {api::kNodeCostAnnotation, api::kOnDemandBaseAnnotation, api::kOnDemandPercentAnnotation})
            mix(mark, hash(api::find_or_empty(state.pool.meta.annotations, key)));
        // Windows and pauses begin and end by themselves.
        mix(mark, gate.closed(name, kUnderutilized) ? 0 : 1);
    }
    return mark;
}

}  // namespace joiner::plan
