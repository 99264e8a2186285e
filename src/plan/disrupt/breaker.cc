#include "plan/disrupt/breaker.h"

#include <fmt/format.h>

#include <algorithm>

namespace joiner::plan {
namespace {

std::string_view in_words(Breaker::Trouble trouble) {
    switch (trouble) {
        case Breaker::Trouble::kLaunch:
            return "a new node did not come up";
        case Breaker::Trouble::kPods:
            return "pods that were moved did not become ready";
        case Breaker::Trouble::kStrays:
            return "pods that were moved needed another node";
    }
    return {};
}

}  // namespace

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
    for (const Trouble trouble : {Trouble::kLaunch, Trouble::kPods, Trouble::kStrays})
        streaks_.erase({pool, trouble});
}

std::map<std::string, std::string, std::less<>> Breaker::held(WallTime now) const {
    std::map<std::string, std::string, std::less<>> out;
    for (const auto& [key, streak] : streaks_) {
        if (now >= streak.until) continue;
        out.try_emplace(key.first,
                        fmt::format("no node is replaced before {}: the last {} times {}",
                                    format_rfc3339(streak.until), streak.failures, in_words(key.second)));
    }
    return out;
}

}  // namespace joiner::plan
