// Stops replacing nodes of a pool where what was launched lately did not come up, or where the pods that were
// moved did not: a mistake in a template or an image must not walk through the whole pool. Pure, `now` is
// handed in; loop thread. Ours; Karpenter has no such thing.
#pragma once

#include <map>
#include <string>

#include "base/time.h"

namespace joiner::plan {

class Breaker {
  public:
    enum class Trouble {
        kLaunch,
        kPods,    // Moved pods did not become ready.
        kStrays,  // Moved pods did not fit where they were to go, and another node was bought.
    };

    static constexpr int kFailuresToHold = 3;  // In a row.
    static constexpr Duration kFirstHold = std::chrono::minutes{10};
    static constexpr Duration kLongestHold = std::chrono::hours{2};

    // The third failure in a row holds the pool, and each one after a hold holds it for twice as long.
    void failed(const std::string& pool, Trouble trouble, WallTime now);
    void succeeded(const std::string& pool, Trouble trouble);
    // The pool was changed, so what was learned of it counts no more.
    void forget(const std::string& pool);

    // Pools that are held now, and why, in one sentence.
    std::map<std::string, std::string, std::less<>> held(WallTime now) const;

  private:
    struct Streak {
        int failures = 0;
        WallTime until = kNoTime;
    };
    std::map<std::pair<std::string, Trouble>, Streak> streaks_;
};

}  // namespace joiner::plan
