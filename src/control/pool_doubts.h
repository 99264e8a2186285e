// NodePools whose nodes do not come up, whatever they are bought for: of such a pool one more node is tried
// before the first has failed, and the next an hour later, then two, then four. Meanwhile pods go to other
// pools, or hear why they wait. A node that comes up, or a change of the pool or its node class, ends it.
// Pure; loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "plan/reason.h"

namespace joiner::control {

class PoolDoubts {
  public:
    struct Doubt {
        int tries = 0;             // That came to nothing, in a row.
        WallTime until = kNoTime;  // Nothing is bought from the pool before.
        std::string why;           // Of the last, in one sentence.
    };

    // A node of the pool, bought at `bought`, is not waited for any more. Those that were bought before the
    // last failure was known are of one try with it.
    void note_failed(const std::string& pool, WallTime bought, const std::string& why, WallTime now);
    // A node of the pool came up at `at`; of no account where one has failed since.
    void note_up(const std::string& pool, WallTime at);
    void forget(const std::string& pool) { failing_.erase(pool); }
    bool empty() const { return failing_.empty(); }

    // nullptr: the pool may be bought from.
    const Doubt* find(const std::string& pool, WallTime now) const;
    // When the first pool may be bought from again, after `now`.
    std::optional<WallTime> next_end(WallTime now) const;

  private:
    struct Failing {
        Doubt doubt;
        WallTime failed_at = kNoTime;  // When its last try was first known to have failed.
    };
    std::map<std::string, Failing> failing_;
};

// For those who wait for the pool.
plan::Reason as_reason(const PoolDoubts::Doubt& doubt, const std::string& pool);

}  // namespace joiner::control
