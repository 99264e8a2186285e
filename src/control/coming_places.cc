#include "control/coming_places.h"

#include <algorithm>

namespace joiner::control {
namespace {

constexpr std::int64_t kMostInAPlan = 10'000;

}  // namespace

void ComingPlaces::note_gated(const model::PodState& pod) {
    const model::PodKey name = model::replica_set_of(pod);
    if (name.empty()) return;
    Set& set = sets_[name];
    if (!set.last) set.last = pod;
    set.is_gated = true;
}

void ComingPlaces::note_arrival(const model::PodState& pod, Duration now) {
    const model::PodKey name = model::replica_set_of(pod);
    if (name.empty()) return;
    Set& set = sets_[name];
    set.last = pod;
    set.came_last = now;
}

// A set whose pods have volumes may have another volume for each.
const model::TemplateState* ComingPlaces::believed(const model::PodKey& name, const Set& set) const {
    const model::TemplateState* wanted = cluster_.find_template(model::Kind::kReplicaSet, name);
    return wanted == nullptr || wanted->cannot_make_pods || set.stalled_at == wanted->generation ||
                   set.is_gated || set.last->volumes != nullptr
               ? nullptr
               : wanted;
}

void ComingPlaces::count(const model::PodState& pod) {
    if (const auto set = sets_.find(model::replica_set_of(pod)); set != sets_.end())
        set->second.is_counted = believed(set->first, set->second) != nullptr;
}

bool ComingPlaces::is_counted(const model::PodState& pod) const {
    const auto set = sets_.find(model::replica_set_of(pod));
    return set != sets_.end() && set->second.is_counted;
}

std::vector<model::ComingPods> ComingPlaces::begin_plan(
    const std::function<bool(const model::PodState&)>& moves) {
    std::vector<model::ComingPods> out;
    std::int64_t left = kMostInAPlan;
    for (auto& [name, set] : sets_) {
        set.is_counted = false;
        set.kept.clear();
        const model::TemplateState* wanted = believed(name, set);
        if (wanted == nullptr || moves(*set.last)) continue;
        set.shape = set.last->shape;
        set.labels = set.last->labels;
        const std::int64_t count = std::min(left, wanted->replicas - cluster_.active_pods_of(name));
        if (count <= 0) continue;
        out.push_back({name, &*set.last, count});
        left -= count;
    }
    return out;
}

void ComingPlaces::keep(const model::PodKey& name, Place place, bool is_open) {
    std::vector<Kept>& kept = sets_.at(name).kept;
    // A plan names a claim's pods one after the other.
    if (!kept.empty() && kept.back().place.claim == place.claim) {
        ++kept.back().count;
    } else {
        kept.push_back({std::move(place), 1, is_open});
    }
}

ComingPlaces::Place ComingPlaces::take(const model::PodState& pod) {
    const auto set = sets_.find(model::replica_set_of(pod));
    if (set == sets_.end() || set->second.shape != pod.shape || set->second.labels != pod.labels ||
        pod.volumes != nullptr)
        return {};
    std::vector<Kept>& kept = set->second.kept;
    const auto it = std::ranges::find_if(kept, [](const Kept& one) { return !one.is_open; });
    if (it == kept.end()) return {};
    Place out = it->place;
    if (--it->count == 0) kept.erase(it);
    return out;
}

void ComingPlaces::note_open(const std::string& claim) {
    for (auto& [name, set] : sets_) {
        for (Kept& one : set.kept) one.is_open |= one.place.claim == claim;
    }
}

bool ComingPlaces::drop_claim(const std::string& claim) {
    bool were_any = false;
    for (auto& [name, set] : sets_) {
        were_any |= std::erase_if(set.kept, [&](const Kept& one) { return one.place.claim == claim; }) != 0;
    }
    return were_any;
}

bool ComingPlaces::is_remembered_once_given_up(const model::PodKey& name, Set& set) {
    const model::TemplateState* wanted = cluster_.find_template(model::Kind::kReplicaSet, name);
    if (wanted == nullptr) return false;
    if (!set.kept.empty() && wanted->replicas > cluster_.active_pods_of(name))
        set.stalled_at = wanted->generation;
    set.kept.clear();
    return set.stalled_at == wanted->generation;
}

bool ComingPlaces::give_up_stalled(Duration now) {
    bool were_any = false;
    for (auto it = sets_.begin(); it != sets_.end();) {
        auto& [name, set] = *it;
        const bool has_stalled = now - set.came_last >= kStalled;
        were_any |= has_stalled && !set.kept.empty();
        it = has_stalled && !is_remembered_once_given_up(name, set) ? sets_.erase(it) : std::next(it);
    }
    return were_any;
}

bool ComingPlaces::keeps_closed(const std::string& claim) const {
    return std::ranges::any_of(sets_, [&](const auto& item) {
        return std::ranges::any_of(item.second.kept,
                                   [&](const Kept& one) { return !one.is_open && one.place.claim == claim; });
    });
}

model::ReservedRoom ComingPlaces::reserved() const {
    model::ReservedRoom out;
    for (const auto& [name, set] : sets_) {
        for (const Kept& one : set.kept) {
            if (one.is_open) continue;
            rules::Resources& taken = out[one.place.claim];
            for (std::int64_t i = 0; i < one.count; ++i) taken += set.shape->requests;
        }
    }
    return out;
}

const model::ClaimNames& ComingPlaces::claims() const {
    claims_.clear();
    for (const auto& [name, set] : sets_) {
        for (const Kept& one : set.kept) claims_.insert(one.place.claim);
    }
    return claims_;
}

}  // namespace joiner::control
