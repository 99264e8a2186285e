#include "control/moves.h"

#include "api/names.h"

namespace joiner::control {
namespace {

constexpr Duration kHour = std::chrono::hours{1};
// A drain may take its time.
constexpr Duration kAwait = std::chrono::minutes{15};

}  // namespace

std::string kin_of(const model::PodState& pod) {
    std::string out = pod.id.ns();
    if (pod.labels == nullptr) return out;
    for (const auto& [key, value] : pod.labels->labels) {
        if (key != api::kZoneLabel && key != api::kRegionLabel)
            out.append(1, '\n').append(key).append(1, '=').append(value);
    }
    return out;
}

void Moves::note_leaving(const std::string& pool, const model::PodState& pod, Duration rest, WallTime now) {
    moves_.push_back({now, pool});
    ++counts_[pool];
    awaited_[kin_of(pod)].push_back({now + kAwait, now + rest});
}

void Moves::note_bound(const model::PodState& pod, WallTime now) {
    if (awaited_.empty()) return;
    const auto it = awaited_.find(kin_of(pod));
    if (it == awaited_.end()) return;
    std::deque<Awaited>& awaited = it->second;
    std::erase_if(awaited, [&](const Awaited& one) { return now > one.until; });
    if (!awaited.empty()) {
        rests_until_[pod.id.uid()] = awaited.front().rests_until;
        awaited.pop_front();
    }
    if (awaited.empty()) awaited_.erase(it);
}

const Moves::Counts& Moves::within_the_hour(WallTime now) {
    while (!moves_.empty() && now - moves_.front().at >= kHour) {
        const auto count = counts_.find(moves_.front().pool);
        if (--count->second == 0) counts_.erase(count);
        moves_.pop_front();
    }
    std::erase_if(awaited_, [&](const auto& item) { return now > item.second.back().until; });
    std::erase_if(rests_until_, [&](const auto& item) { return now >= item.second; });
    return counts_;
}

std::map<std::string, WallTime, std::less<>> Moves::eases() const {
    std::map<std::string, WallTime, std::less<>> out;
    for (const Move& move : moves_) out.try_emplace(move.pool, move.at + kHour);
    return out;
}

WallTime Moves::rests_until(const std::string& uid) const {
    const auto it = rests_until_.find(uid);
    return it == rests_until_.end() ? kNoTime : it->second;
}

}  // namespace joiner::control
