#include <algorithm>
#include <set>
#include <unordered_map>

#include "plan/disrupt/repack.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::RoomIndex;

bool may_move_pods(const model::PoolState* pool) {
    return pool == nullptr || pool->pool.consolidation_policy != "WhenEmpty";
}

// Only what moves stays among the pods.
void keep_moving(const std::set<model::PodKey>& moving, model::Snapshot& snapshot) {
    std::erase_if(snapshot.pods,
                  [&](const model::PodView& pod) { return !moving.contains(pod.full_name()); });
}

void add_node_costs(RepackQuestion& question) {
    for (Candidate& candidate : question.candidates) {
        for (const model::PoolView& pool : question.snapshot.pools) {
            if (pool.name == candidate.pool) candidate.price += pool.node_cost;
        }
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

}  // namespace

RepackQuestion make_repack_question(const model::Cluster& cluster, model::SnapshotInputs inputs,
                                    std::vector<Candidate> candidates) {
    RepackQuestion out;
    std::erase_if(candidates, [&](const Candidate& one) {
        return !one.pods.empty() && !may_move_pods(cluster.find_pool(one.pool));
    });
    std::sort(candidates.begin(), candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.node < b.node; });
    std::set<model::PodKey> moving;
    for (const Candidate& candidate : candidates) moving.insert(candidate.pods.begin(), candidate.pods.end());
    inputs.moving = &moving;
    out.snapshot = model::make_snapshot(cluster, inputs);
    keep_moving(moving, out.snapshot);

    std::unordered_map<std::string, PodIndex> pod_at;
    for (PodIndex pod = 0; pod < out.snapshot.pods.size(); ++pod)
        pod_at.emplace(out.snapshot.pods[pod].full_name(), pod);
    std::unordered_map<std::string_view, RoomIndex> room_at;
    for (RoomIndex room = 0; room < out.snapshot.rooms.size(); ++room) {
        const model::RoomView& view = out.snapshot.rooms[room];
        if (!view.is_claim && view.is_open && view.is_initialized) room_at.emplace(view.name, room);
    }
    std::set<model::PodKey> stuck;
    for (Candidate& candidate : candidates) {
        const auto room = room_at.find(candidate.node);
        std::vector<PodIndex> pods;
        for (const model::PodKey& key : candidate.pods) {
            const auto at = pod_at.find(key);
            if (at != pod_at.end() && out.snapshot.pods[at->second].shape->problem.empty())
                pods.push_back(at->second);
        }
        if (room == room_at.end() || pods.size() < candidate.pods.size()) {
            stuck.insert(candidate.pods.begin(), candidate.pods.end());
            continue;
        }
        out.rooms.push_back(room->second);
        out.pods.push_back(std::move(pods));
        out.candidates.push_back(std::move(candidate));
    }
    if (!stuck.empty()) {
        // Pods that cannot move stand where they are, and others may ask about them.
        std::vector<Candidate> rest = std::move(out.candidates);
        return make_repack_question(cluster, std::move(inputs), std::move(rest));
    }
    add_node_costs(out);
    sum_balanced(cluster, out);
    return out;
}

}  // namespace joiner::plan
