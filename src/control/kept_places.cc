#include "control/kept_places.h"

#include <algorithm>

#include "control/moves.h"

namespace joiner::control {

void KeptPlaces::give_up(Number command) {
    Kept& kept = of(command);
    kept.stage = Stage::kGivenUp;
    kept.places.clear();
}

std::vector<KeptPlaces::Place>::iterator KeptPlaces::find_place(Kept& kept, const model::PodState& pod,
                                                                const std::string& kin,
                                                                const model::Cluster& cluster) {
    const auto has_gone = [&](const Place& place) {
        const model::PodState* moved = cluster.find_pod(place.mover.moved.full_name());
        return moved == nullptr || moved->id != place.mover.moved || moved->deleted;
    };
    const auto it = std::find_if(kept.places.begin(), kept.places.end(), [&](const Place& place) {
        return is_for(place, pod, kin) && has_gone(place);
    });
    if (it != kept.places.end()) return it;
    return std::find_if(kept.places.begin(), kept.places.end(),
                        [&](const Place& place) { return is_for(place, pod, kin); });
}

std::string KeptPlaces::take(const model::PodState& pod, const model::Cluster& cluster, WallTime now) {
    if (kept_.empty()) return {};
    const std::string kin = kin_of(pod);
    for (auto& [number, kept] : kept_) {
        if (kept.stage != Stage::kOpen || !kept.binds) continue;
        const auto it = find_place(kept, pod, kin, cluster);
        if (it == kept.places.end()) continue;
        std::string claim = std::move(it->claim);
        kept.places.erase(it);
        kept.taken_at = now;
        return claim;
    }
    return {};
}

void KeptPlaces::note_bound(const model::PodState& pod, const std::string& kin,
                            const model::Cluster& cluster) {
    for (auto& [number, kept] : kept_) {
        if (kept.stage != Stage::kOpen || kept.binds) continue;
        const auto it = find_place(kept, pod, kin, cluster);
        if (it == kept.places.end()) continue;
        kept.places.erase(it);
        return;
    }
}

bool KeptPlaces::awaits(Number command, const model::PodState& pod) const {
    const std::string kin = kin_of(pod);
    const Kept& kept = of(command);
    return std::any_of(kept.places.begin(), kept.places.end(),
                       [&](const Place& place) { return is_for(place, pod, kin); });
}

bool KeptPlaces::keeps_closed(const std::string& claim) const {
    return std::any_of(kept_.begin(), kept_.end(), [&](const auto& item) {
        const Kept& kept = item.second;
        return kept.binds && (kept.stage == Stage::kClosing || kept.stage == Stage::kOpen) &&
               std::any_of(kept.places.begin(), kept.places.end(),
                           [&](const Place& place) { return place.claim == claim; });
    });
}

bool KeptPlaces::is_kept(const Kept& kept, For asker) {
    return kept.binds || asker == For::kMoves || kept.stage == Stage::kReserved ||
           kept.stage == Stage::kClosing;
}

std::set<std::string> KeptPlaces::kins() const {
    std::set<std::string> out;
    for (const auto& [number, kept] : kept_) {
        for (const Place& place : kept.places) out.insert(place.mover.kin);
    }
    return out;
}

const model::ReservedRoom& KeptPlaces::reserved(For asker) const {
    reserved_.clear();
    for (const auto& [number, kept] : kept_) {
        if (kept.stage == Stage::kReserved || kept.stage == Stage::kClosing) {
            for (const auto& [name, amount] : kept.whole) reserved_[name] += amount;
        } else if (is_kept(kept, asker)) {
            for (const Place& place : kept.places) reserved_[place.claim] += place.mover.shape->requests;
        }
    }
    return reserved_;
}

const std::vector<model::ExpectedPod>& KeptPlaces::expected(For asker) const {
    expected_.clear();
    for (const auto& [number, kept] : kept_) {
        if (!is_kept(kept, asker)) continue;
        for (const auto& [mover, claim] : kept.places)
            expected_.push_back({mover.labels, mover.shape, claim, mover.moved});
    }
    return expected_;
}

model::ReservedRoom KeptPlaces::claimed() const {
    model::ReservedRoom out;
    for (const auto& [number, kept] : kept_) {
        if (kept.stage == Stage::kGivenUp) continue;
        for (const auto& [name, amount] : kept.whole) out[name] += amount;
    }
    return out;
}

}  // namespace joiner::control
