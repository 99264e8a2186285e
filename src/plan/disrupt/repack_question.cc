#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_map>

#include "model/capacity_mix.h"
#include "plan/disrupt/repack.h"
#include "plan/provision/held_ratio.h"
#include "rules/node_cost.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::RoomIndex;

bool may_move_pods(const model::PoolState* pool) {
    return pool == nullptr || pool->pool.consolidation_policy != "WhenEmpty";
}

// Of the pools themselves: a snapshot may have one in several parts, or not at all.
void add_node_costs(const model::Cluster& cluster, RepackQuestion& question) {
    for (Candidate& candidate : question.candidates) {
        candidate.price += candidate.interruption_cost;
        if (const model::PoolState* pool = cluster.find_pool(candidate.pool); pool != nullptr)
            candidate.price += rules::node_cost(pool->pool).value_or(rules::Money{});
    }
}

void sum_balanced(const model::Cluster& cluster, RepackQuestion& question) {
    for (const Candidate& candidate : question.candidates) {
        const model::PoolState* pool = cluster.find_pool(candidate.pool);
        if (pool == nullptr || pool->pool.consolidation_policy != "Balanced") continue;
        PoolTotals& totals = question.balanced[candidate.pool];
        totals.price += candidate.price;
        totals.disruption += candidate.disruption_cost;
    }
}

// Of the candidate, appended to `out`; false, and nothing is appended, where one of them stands there no
// more.
bool list_pods(const model::Cluster& cluster, const Candidate& candidate,
               std::vector<const model::PodState*>& out) {
    const model::NodeState* node = cluster.find_node(candidate.node);
    if (node == nullptr) return false;
    const std::size_t before = out.size();
    auto next = candidate.pods.begin();  // Both in order.
    for (auto pod = node->pods.begin(); pod != node->pods.end() && next != candidate.pods.end(); ++pod) {
        if (pod->second->id != *next) continue;
        if (!pod->second->is_active()) break;
        out.push_back(pod->second);
        ++next;
    }
    if (next == candidate.pods.end()) return true;
    out.resize(before);
    return false;
}

// On demand, as much may leave as a ratio can spare; the rest stays, or the search would always choose what
// it must not, for it saves most. What is the least trouble goes first.
void keep_on_demand(const model::CapacityMixes& mixes, std::vector<Candidate>& candidates) {
    if (mixes.empty()) return;
    std::vector<const Candidate*> order;
    for (const Candidate& one : candidates) {
        if (!one.is_spot && mixes.contains(one.pool)) order.push_back(&one);
    }
    std::stable_sort(order.begin(), order.end(), [](const Candidate* a, const Candidate* b) {
        return a->disruption_cost < b->disruption_cost;
    });
    model::CapacityMixes left = mixes;
    std::set<std::string> kept;
    for (const Candidate* one : order) {
        rules::CapacityMix& mix = left.at(one->pool);
        rules::CapacityMix without = mix;
        model::count_capacity(without, false, -one->milli_cores);
        if (without.missing() > mix.missing()) {
            kept.insert(one->node);
        } else {
            mix = without;
        }
    }
    std::erase_if(candidates, [&](const Candidate& one) { return kept.contains(one.node); });
}

// No more than would be allowed if what leaves were bought again.
void cap_spot_parts(model::Snapshot& snapshot) {
    for (model::PoolView& pool : snapshot.pools) {
        if (pool.is_spot_part) cap_spot(pool, pool.mix->spot_left(pool.mix->on_demand + pool.mix->spot));
    }
}

}  // namespace

RepackQuestion make_repack_question(const model::Cluster& cluster, model::SnapshotInputs inputs,
                                    std::vector<Candidate> candidates) {
    RepackQuestion out;
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.node < b.node; });
    std::erase_if(candidates, [&](const Candidate& one) {
        return !one.pods.empty() && !may_move_pods(cluster.find_pool(one.pool));
    });
    keep_on_demand(model::capacity_mixes({cluster, inputs.types, inputs.given_up}), candidates);
    std::vector<const model::PodState*> moving;
    std::vector<Candidate> there;
    for (Candidate& candidate : candidates) {
        if (list_pods(cluster, candidate, moving)) there.push_back(std::move(candidate));
    }
    inputs.moving = &moving;
    out.snapshot = model::make_snapshot(cluster, inputs);
    cap_spot_parts(out.snapshot);

    std::unordered_map<std::string_view, RoomIndex> room_at;
    for (RoomIndex room = 0; room < out.snapshot.rooms.size(); ++room) {
        const model::RoomView& view = out.snapshot.rooms[room];
        if (!view.is_claim && view.is_open && view.is_initialized) room_at.emplace(view.name, room);
    }
    PodIndex next = 0;
    bool is_any_stuck = false;
    for (Candidate& candidate : there) {
        std::vector<PodIndex> pods(candidate.pods.size());
        std::iota(pods.begin(), pods.end(), next);
        next += static_cast<PodIndex>(pods.size());
        const auto room = room_at.find(candidate.node);
        const bool is_stuck =
            room == room_at.end() || std::any_of(pods.begin(), pods.end(), [&](PodIndex pod) {
                return !out.snapshot.pods[pod].shape->problem.empty();
            });
        is_any_stuck |= is_stuck && !pods.empty();
        if (is_stuck) continue;
        out.rooms.push_back(room->second);
        out.pods.push_back(std::move(pods));
        out.candidates.push_back(std::move(candidate));
    }
    if (is_any_stuck) {
        // Pods that cannot move stand where they are, and others may ask about them.
        std::vector<Candidate> rest = std::move(out.candidates);
        return make_repack_question(cluster, std::move(inputs), std::move(rest));
    }
    add_node_costs(cluster, out);
    sum_balanced(cluster, out);
    return out;
}

}  // namespace joiner::plan
