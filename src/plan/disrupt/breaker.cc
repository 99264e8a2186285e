#include "plan/disrupt/breaker.h"

#include <fmt/format.h>

#include <algorithm>

namespace joiner::plan {

void Breaker::failed(const std::string& pool, Trouble trouble, WallTime now) {
    Streak& streak = streaks_[{pool, trouble}];
    // While it is held, what was begun before goes on failing; that is no news.
    if (now < streak.until) return;
    if (++streak.failures < kFailuresToHold) return;
    Duration hold = kFirstHold;
    for (int i = kFailuresToHold; i < streak.failures && hold < kLongestHold; ++i) hold *= 2;
    streak.until = now + std::min(hold, kLongestHold);
}

void Breaker::succeeded(const std::string& pool, Trouble trouble) {
    streaks_.erase({pool, trouble});
}

void Breaker::forget(const std::string& pool) {
    for (const Trouble trouble : {Trouble::kLaunch, Trouble::kPods}) streaks_.erase({pool, trouble});
}

std::map<std::string, std::string, std::less<>> Breaker::held(WallTime now) const {
    std::map<std::string, std::string, std::less<>> out;
    for (const auto& [key, streak] : streaks_) {
        if (now >= streak.until) continue;
        out.try_emplace(key.first, fmt::format("no node is replaced before {}: the last {} times {}",
                                               format_rfc3339(streak.until), streak.failures,
                                               key.second == Trouble::kLaunch
                                                   ? "a new node did not come up"
                                                   : "pods that were moved did not become ready"));
    }
    return out;
}

}  // namespace joiner::plan
