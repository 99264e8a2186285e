#include "control/headroom_book.h"

#include "model/headroom.h"

namespace joiner::control {

std::string claim_of(const model::Cluster& cluster, const model::RoomView& room) {
    if (room.is_claim) return room.name;
    const model::NodeState* node = cluster.find_node(room.name);
    const model::ClaimState* state = node == nullptr ? nullptr : cluster.claim_of(node->node);
    return state == nullptr ? std::string{} : state->claim.meta.name;
}

bool HeadroomBook::has_changed() {
    std::map<std::string, Asked, std::less<>> asked;
    for (const auto& [name, kept] : cluster_.buffers()) {
        const model::Headroom headroom = model::headroom_of(cluster_, kept.object);
        asked[name] = {headroom.replicas,
                       headroom.source == nullptr ? nullptr : headroom.source->shape.get()};
    }
    if (asked == asked_) return false;
    asked_ = std::move(asked);
    return true;
}

void HeadroomBook::note(const model::Snapshot& snapshot, const plan::Plan& plan) {
    clear();
    std::map<std::string_view, std::size_t> missing;
    for (const model::PodView& pod : snapshot.pods) {
        if (!pod.is_headroom()) continue;
        places_[pod.buffer] = Place::kIsBoughtOrMissing;
        ++missing[pod.buffer];
    }
    for (const plan::Placement& placement : plan.placements) {
        const model::PodView& pod = snapshot.pods[placement.pod];
        if (!pod.is_headroom()) continue;
        const model::RoomView& where = snapshot.rooms[placement.room];
        room_[where.name] += pod.shape->requests;
        if (--missing[pod.buffer] == 0) places_[pod.buffer] = Place::kIsThere;
        if (std::string claim = claim_of(cluster_, where); !claim.empty()) claims_.insert(std::move(claim));
    }
}

void HeadroomBook::note_bought(const model::PodView& pod, const std::string& claim) {
    claims_.insert(claim);
    room_[claim] += pod.shape->requests;
}

void HeadroomBook::clear() {
    places_.clear();
    claims_.clear();
    room_.clear();
}

}  // namespace joiner::control
