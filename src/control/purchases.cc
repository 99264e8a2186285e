#include "control/purchases.h"

#include <algorithm>

namespace joiner::control {
namespace {

constexpr Duration kFirstRetry = std::chrono::seconds{1};
constexpr Duration kLongestRetry = std::chrono::minutes{2};
constexpr Duration kFirstDoubt = std::chrono::hours{1};
constexpr Duration kLongestDoubt = std::chrono::hours{4};

// The first two purchases are free; from then on the distance doubles.
Duration distance(int purchases, Duration first, Duration longest) {
    constexpr int kFree = 2;
    constexpr int kMostDoublings = 10;
    if (purchases < kFree) return Duration{0};
    return std::min<Duration>(longest, first * (1 << std::min(purchases - kFree, kMostDoublings)));
}

}  // namespace

void Purchases::note_bought(const std::string& who, const std::string& claim, const std::string& pool) {
    One& one = bought_for_[who];
    if (!one.has_failed) one.hold.failed = 0;
    leave(who, one.hold.claim);
    by_claim_[claim].insert(who);
    one.has_failed = false;
    one.is_waiting = false;
    ++one.hold.came_up;
    one.hold.claim = claim;
    one.hold.pool = pool;
}

void Purchases::note_failed(const std::string& claim, const std::string& error) {
    const auto failed = by_claim_.find(claim);
    if (failed == by_claim_.end()) return;
    for (const std::string& who : failed->second) {
        One& one = bought_for_.at(who);
        --one.hold.came_up;
        ++one.hold.failed;
        one.hold.error = error;
        one.has_failed = true;
    }
    by_claim_.erase(failed);
}

void Purchases::forget(const std::string& who) {
    const auto it = bought_for_.find(who);
    if (it == bought_for_.end()) return;
    leave(who, it->second.hold.claim);
    bought_for_.erase(it);
}

void Purchases::leave(const std::string& who, const std::string& claim) {
    const auto others = by_claim_.find(claim);
    if (others == by_claim_.end()) return;
    others->second.erase(who);
    if (others->second.empty()) by_claim_.erase(others);
}

void Purchases::forgive() {
    bought_for_.clear();
    by_claim_.clear();
}

const Purchases::Hold* Purchases::find(const std::string& who) const {
    const auto it = bought_for_.find(who);
    return it == bought_for_.end() ? nullptr : &it->second.hold;
}

std::optional<Purchases::Hold> Purchases::hold(const std::string& who, WallTime now, bool is_excused) {
    const auto it = bought_for_.find(who);
    if (it == bought_for_.end()) return std::nullopt;
    One& one = it->second;
    if (!one.is_waiting) {
        one.is_waiting = true;
        one.hold.until =
            now + std::max(distance(one.has_failed ? one.hold.failed : 0, kFirstRetry, kLongestRetry),
                           distance(is_excused ? 0 : one.hold.came_up, kFirstDoubt, kLongestDoubt));
    }
    if (now >= one.hold.until) return std::nullopt;
    return one.hold;
}

std::optional<WallTime> Purchases::next_end(WallTime now) const {
    std::optional<WallTime> out;
    for (const auto& [who, one] : bought_for_) {
        if (one.is_waiting && one.hold.until > now)
            out = std::min(out.value_or(one.hold.until), one.hold.until);
    }
    return out;
}

}  // namespace joiner::control
