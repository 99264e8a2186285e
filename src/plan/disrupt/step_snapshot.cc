#include "plan/disrupt/step_snapshot.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

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

// Many steps as one, which is held against the rules as a whole.
class StepUnion {
  public:
    explicit StepUnion(const RepackQuestion& question) : question_(question) {
        whole_.is_independent = false;
    }

    bool holds_with(std::span<const RepackStep> steps) const {
        StepUnion both = *this;
        for (const RepackStep& step : steps) both.take(step);
        const std::set<std::string_view> leaving(both.whole_.nodes.begin(), both.whole_.nodes.end());
        if (std::any_of(both.whole_.placements.begin(), both.whole_.placements.end(),
                        [&](const Placement& one) {
                            return leaving.contains(question_.snapshot.rooms[one.room].name);
                        }))
            return false;
        std::vector<PodIndex> pods;
        for (const Placement& one : both.whole_.placements) pods.push_back(one.pod);
        for (const Launch& launch : both.whole_.launches)
            pods.insert(pods.end(), launch.pods.begin(), launch.pods.end());
        std::sort(pods.begin(), pods.end());
        return keeps_rules(question_, question_.snapshot.pools, both.whole_, pods);
    }
    void take(const RepackStep& step) {
        whole_.nodes.insert(whole_.nodes.end(), step.nodes.begin(), step.nodes.end());
        whole_.placements.insert(whole_.placements.end(), step.placements.begin(), step.placements.end());
        whole_.launches.insert(whole_.launches.end(), step.launches.begin(), step.launches.end());
    }

  private:
    const RepackQuestion& question_;
    RepackStep whole_;
};

void take_those_that_hold(std::span<const RepackStep> steps, StepUnion& taken, std::vector<bool>& is_taken,
                          std::size_t first) {
    if (steps.empty()) return;
    if (taken.holds_with(steps)) {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            taken.take(steps[i]);
            is_taken[first + i] = true;
        }
        return;
    }
    if (steps.size() == 1) return;
    const std::size_t half = steps.size() / 2;
    take_those_that_hold(steps.first(half), taken, is_taken, first);
    take_those_that_hold(steps.subspan(half), taken, is_taken, first + half);
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

std::vector<RepackStep> steps_together(const RepackQuestion& question, std::vector<RepackStep> steps) {
    // Those that are independent are good whatever else is done, but for the room that they take.
    std::stable_partition(steps.begin(), steps.end(),
                          [](const RepackStep& one) { return one.is_independent; });
    const auto dependent =
        std::find_if(steps.begin(), steps.end(), [](const RepackStep& one) { return !one.is_independent; });
    if (dependent == steps.end()) return steps;
    StepUnion taken(question);
    std::for_each(steps.begin(), dependent, [&](const RepackStep& one) { taken.take(one); });
    std::vector<bool> is_taken(steps.end() - dependent, false);
    take_those_that_hold({dependent, steps.end()}, taken, is_taken, 0);
    std::vector<RepackStep> out(std::make_move_iterator(steps.begin()), std::make_move_iterator(dependent));
    for (std::size_t i = 0; i < is_taken.size(); ++i) {
        if (is_taken[i]) out.push_back(std::move(dependent[static_cast<std::ptrdiff_t>(i)]));
    }
    return out;
}

}  // namespace joiner::plan
