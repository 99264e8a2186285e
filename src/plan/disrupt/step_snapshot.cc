#include "plan/disrupt/step_snapshot.h"

#include <algorithm>
#include <map>
#include <set>

#include "api/names.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::RoomIndex;

constexpr model::PlaceIndex kNoPlace = ~model::PlaceIndex{0};

void add_standing_at(const RepackQuestion& question, const std::vector<bool>& moves,
                     const std::vector<model::PlaceIndex>& place_of, model::Snapshot& out) {
    for (const model::StandingPods& one : question.snapshot.standing) {
        model::StandingPods kept = one;
        kept.places.clear();
        for (const auto& [place, count] : one.places) {
            if (place_of[place] != kNoPlace) kept.places.emplace_back(place_of[place], count);
        }
        std::sort(kept.places.begin(), kept.places.end());
        if (!kept.places.empty()) out.standing.push_back(std::move(kept));
    }
    // Pods of candidates that stay.
    std::map<std::pair<const rules::PodLabels*, const rules::PodShape*>, std::size_t> known;
    for (std::size_t v = 0; v < question.candidates.size(); ++v) {
        const model::PlaceIndex place = place_of[question.rooms[v]];
        for (const PodIndex pod : question.pods[v]) {
            const model::PodView& view = question.snapshot.pods[pod];
            if (moves[pod] || view.labels == nullptr || place == kNoPlace) continue;
            const auto shape = view.shape->constraints.binds_others() ? view.shape : nullptr;
            const auto [it, is_new] =
                known.try_emplace({view.labels.get(), shape.get()}, out.standing.size());
            if (is_new) out.standing.push_back({view.labels, shape, false, {}});
            auto& places = out.standing[it->second].places;
            if (places.empty() || places.back().first != place) places.emplace_back(place, 0);
            ++places.back().second;
        }
    }
}

}  // namespace

model::Snapshot snapshot_of_step(const RepackQuestion& question, const std::vector<model::PoolView>& pools,
                                 const RepackStep& step, const std::vector<PodIndex>& pods,
                                 std::vector<RoomIndex>& rooms) {
    const model::Snapshot& whole = question.snapshot;
    model::Snapshot out;
    out.pools = pools;
    out.daemons = whole.daemons;
    out.namespaces = whole.namespaces;
    out.volume_limits = whole.volume_limits;
    for (const PodIndex pod : pods) out.pods.push_back(whole.pods[pod]);
    // For lone pods no other room matters.
    std::set<RoomIndex> wanted;
    for (const Placement& one : step.placements) wanted.insert(one.room);
    const std::set<std::string_view> leaving(step.nodes.begin(), step.nodes.end());
    std::vector<model::PlaceIndex> place_of(whole.rooms.size() + whole.closed_nodes.size(), kNoPlace);
    rooms.clear();
    for (RoomIndex room = 0; room < whole.rooms.size(); ++room) {
        const model::RoomView& view = whole.rooms[room];
        if (leaving.contains(view.name) || (step.is_independent && !wanted.contains(room))) continue;
        place_of[room] = static_cast<model::PlaceIndex>(out.rooms.size());
        rooms.push_back(room);
        out.rooms.push_back(view);
        // Only nodes that have come up may take in pods that are moved.
        if (view.is_claim || !view.is_open || !view.is_initialized) out.rooms.back().free = {};
    }
    if (step.is_independent) return out;
    const auto close = [&](std::size_t place, model::ClosedNode node) {
        place_of[place] = static_cast<model::PlaceIndex>(out.rooms.size() + out.closed_nodes.size());
        out.closed_nodes.push_back(std::move(node));
    };
    for (std::size_t i = 0; i < whole.closed_nodes.size(); ++i)
        close(whole.rooms.size() + i, whole.closed_nodes[i]);
    for (RoomIndex room = 0; room < whole.rooms.size(); ++room) {
        const model::RoomView& view = whole.rooms[room];
        if (!leaving.contains(view.name)) continue;
        model::ClosedNode node{view.name, view.labels, view.taints};
        node.taints.push_back({std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}});
        close(room, std::move(node));
    }
    std::vector<bool> moves(whole.pods.size(), false);
    for (const PodIndex pod : pods) moves[pod] = true;
    add_standing_at(question, moves, place_of, out);
    return out;
}

bool keeps_rules(const RepackQuestion& question, const std::vector<model::PoolView>& pools,
                 const RepackStep& step, const std::vector<PodIndex>& pods) {
    if (pods.empty()) return true;
    std::vector<RoomIndex> rooms;
    const model::Snapshot snapshot = snapshot_of_step(question, pools, step, pods, rooms);
    const auto own = [&](PodIndex pod) {
        return static_cast<PodIndex>(std::lower_bound(pods.begin(), pods.end(), pod) - pods.begin());
    };
    Plan plan;
    for (const Placement& one : step.placements) {
        const auto room = std::lower_bound(rooms.begin(), rooms.end(), one.room) - rooms.begin();
        plan.placements.push_back({own(one.pod), static_cast<RoomIndex>(room)});
    }
    std::size_t placed = plan.placements.size();
    for (const Launch& launch : step.launches) {
        Launch& mine = plan.launches.emplace_back();
        mine.spec = launch.spec;
        for (const PodIndex pod : launch.pods) mine.pods.push_back(own(pod));
        placed += mine.pods.size();
    }
    return placed == pods.size() && check_plan(snapshot, plan).empty();
}

}  // namespace joiner::plan
