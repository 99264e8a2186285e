#include "control/moves.h"

#include "api/names.h"

namespace joiner::control {
namespace {

constexpr Duration kHour = std::chrono::hours{1};
// A drain may take its time.
constexpr Duration kAwait = std::chrono::minutes{15};

}  // namespace

std::string kin_of(const model::PodState& pod) {
    std::string out = pod.ns;
    if (pod.labels == nullptr) return out;
    for (const auto& [key, value] : pod.labels->labels) {
        if (key != api::kZoneLabel && key != api::kRegionLabel)
            out.append(1, '\n').append(key).append(1, '=').append(value);
    }
    return out;
}

void Moves::note_leaving(const std::string& pool, const model::PodState& pod, WallTime now) {
    moves_.push_back({now, pool});
    ++counts_[pool];
    Awaited& awaited = awaited_[kin_of(pod)];
    ++awaited.pods;
    awaited.until = now + kAwait;
}

void Moves::note_bound(const model::PodState& pod, const std::string& claim, WallTime now) {
    if (awaited_.empty()) return;
    const auto it = awaited_.find(kin_of(pod));
    if (it == awaited_.end()) return;
    if (now <= it->second.until) came_to_[claim] = now;
    if (now > it->second.until || --it->second.pods == 0) awaited_.erase(it);
}

const Moves::Counts& Moves::within_the_hour(WallTime now) {
    while (!moves_.empty() && now - moves_.front().at >= kHour) {
        const auto count = counts_.find(moves_.front().pool);
        if (--count->second == 0) counts_.erase(count);
        moves_.pop_front();
    }
    std::erase_if(awaited_, [&](const auto& item) { return now > item.second.until; });
    return counts_;
}

WallTime Moves::came_to(const std::string& claim) const {
    const auto it = came_to_.find(claim);
    return it == came_to_.end() ? kNoTime : it->second;
}

}  // namespace joiner::control
