#include "plan/provision/headroom.h"

#include <algorithm>
#include <map>
#include <utility>

#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::Snapshot;

// A question about some of the pods, and which they are.
struct Part {
    Snapshot snapshot;
    std::vector<PodIndex> pods;  // By index in the part.
};

template <typename F>
Part part_of(const Snapshot& snapshot, F is_in) {
    Part out;
    out.snapshot.rooms = snapshot.rooms;
    out.snapshot.pools = snapshot.pools;
    out.snapshot.daemons = snapshot.daemons;
    out.snapshot.closed_nodes = snapshot.closed_nodes;
    out.snapshot.standing = snapshot.standing;
    out.snapshot.namespaces = snapshot.namespaces;
    out.snapshot.volume_limits = snapshot.volume_limits;
    for (PodIndex pod = 0; pod < snapshot.pods.size(); ++pod) {
        if (!is_in(pod)) continue;
        out.snapshot.pods.push_back(snapshot.pods[pod]);
        out.pods.push_back(pod);
    }
    return out;
}

void use_volumes(model::RoomView& room, const rules::PodShape& shape) {
    for (const auto& [driver, count] : shape.volumes) {
        for (auto& [name, left] : room.volumes_left) {
            if (name == driver) left -= count;
        }
    }
    for (const auto& [driver, id] : shape.shared_volumes) {
        const auto at = std::lower_bound(room.shared_volumes.begin(), room.shared_volumes.end(), id);
        if (at != room.shared_volumes.end() && *at == id) continue;
        room.shared_volumes.insert(at, id);
        for (auto& [name, left] : room.volumes_left) {
            if (name == driver) --left;
        }
    }
}

// The pods stand where the plan puts them.
void put(const Snapshot& whole, const std::vector<Placement>& placements, Snapshot& snapshot) {
    using Key = std::pair<const rules::PodLabels*, const rules::PodShape*>;
    std::map<Key, std::size_t> known;
    for (const Placement& placement : placements) {
        const model::PodView& pod = whole.pods[placement.pod];
        model::RoomView& room = snapshot.rooms[placement.room];
        room.free -= pod.shape->requests;
        use_volumes(room, *pod.shape);
        const bool binds_others = pod.shape->constraints.binds_others();
        if (pod.labels == nullptr) continue;
        const Key key{pod.labels.get(), binds_others ? pod.shape.get() : nullptr};
        const auto [it, is_new] = known.try_emplace(key, snapshot.standing.size());
        if (is_new) snapshot.standing.push_back({pod.labels, binds_others ? pod.shape : nullptr, false, {}});
        auto& places = snapshot.standing[it->second].places;
        const auto place = std::lower_bound(places.begin(), places.end(), placement.room,
                                            [](const auto& one, auto at) { return one.first < at; });
        if (place != places.end() && place->first == placement.room) {
            ++place->second;
        } else {
            places.insert(place, {placement.room, 1});
        }
    }
}

// In the whole's indexes.
void rename(Plan& plan, const std::vector<PodIndex>& pods) {
    for (Placement& placement : plan.placements) placement.pod = pods[placement.pod];
    for (Wait& wait : plan.waits) wait.pod = pods[wait.pod];
    for (Launch& launch : plan.launches) {
        for (PodIndex& pod : launch.pods) pod = pods[pod];
    }
}

std::size_t pods_waiting(const Snapshot& snapshot, const Plan& plan) {
    return static_cast<std::size_t>(
        std::count_if(plan.waits.begin(), plan.waits.end(),
                      [&](const Wait& wait) { return !snapshot.pods[wait.pod].is_headroom(); }));
}

void sort_waits(Plan& plan) {
    std::sort(plan.waits.begin(), plan.waits.end(),
              [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
}

// With the placements of the pods that came first.
Plan joined(Plan plan, const Plan& first) {
    plan.placements.insert(plan.placements.end(), first.placements.begin(), first.placements.end());
    std::sort(plan.placements.begin(), plan.placements.end(),
              [](const Placement& a, const Placement& b) { return a.pod < b.pod; });
    sort_waits(plan);
    return plan;
}

Plan leave_headroom_waiting(const Snapshot& snapshot, Plan plan) {
    for (PodIndex pod = 0; pod < snapshot.pods.size(); ++pod) {
        if (snapshot.pods[pod].is_headroom())
            plan.waits.push_back({pod, "pods are placed first, and their rules leave it to the next plan"});
    }
    sort_waits(plan);
    return plan;
}

}  // namespace

bool is_headroom_at_stake(const Snapshot& snapshot) {
    const auto headroom = std::count_if(snapshot.pods.begin(), snapshot.pods.end(),
                                        [](const model::PodView& pod) { return pod.is_headroom(); });
    return headroom > 0 && static_cast<std::size_t>(headroom) < snapshot.pods.size() &&
           !snapshot.rooms.empty();
}

Plan plan_with_headroom(const Snapshot& snapshot, const std::function<Plan(const Snapshot&)>& plan) {
    const Part pods = part_of(snapshot, [&](PodIndex pod) { return !snapshot.pods[pod].is_headroom(); });
    Plan first = plan(pods.snapshot);
    rename(first, pods.pods);
    std::vector<bool> is_placed(snapshot.pods.size(), false);
    for (const Placement& placement : first.placements) is_placed[placement.pod] = true;
    Part rest = part_of(snapshot, [&](PodIndex pod) { return !is_placed[pod]; });
    put(snapshot, first.placements, rest.snapshot);
    Plan out = plan(rest.snapshot);
    rename(out, rest.pods);
    out = joined(std::move(out), first);
    // A pod may have found its room by company that is now bought elsewhere.
    if (pods_waiting(snapshot, out) > first.waits.size() || !check_plan(snapshot, out).empty())
        return leave_headroom_waiting(snapshot, std::move(first));
    out.lower_bound = first.lower_bound;
    out.is_fallback |= first.is_fallback;
    out.first_plan_seconds += first.first_plan_seconds;
    out.passes.insert(out.passes.begin(), first.passes.begin(), first.passes.end());
    return out;
}

}  // namespace joiner::plan
