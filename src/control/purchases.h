// How often a node was bought for a pod that still waits, and until when nothing more is bought for it:
// launches that fail are tried again at growing distances, and of nodes that come up and are not what was
// promised there is one more, and the next after a long time. Pure; loop thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/time.h"

namespace joiner::control {

class Purchases {
  public:
    struct Hold {
        WallTime until = kNoTime;
        int failed = 0;     // Launches in a row.
        int came_up = 0;    // Nodes that were launched, and it is not on them.
        std::string claim;  // The last that was bought.
        std::string pool;   // Its pool.
        std::string error;  // Of the last launch that failed.
    };

    // `who`: a pod's uid, or whatever else nodes are bought for.
    void note_bought(const std::string& who, const std::string& claim, const std::string& pool);
    // For all that it was bought for, the claim has come to nothing.
    void note_failed(const std::string& claim, const std::string& error);
    // The pod is bound or gone.
    void forget(const std::string& who);
    // What is bought is another thing now: everything is tried again at once.
    void forgive();
    // nullptr: nothing was bought for it.
    const Hold* find(const std::string& who) const;
    // For one that waits without a plan: nothing is bought for it yet. nullopt: it may be. `is_excused`: of
    // the nodes that came up none broke its promise.
    std::optional<Hold> hold(const std::string& who, WallTime now, bool is_excused);
    // When the first hold ends after `now`.
    std::optional<WallTime> next_end(WallTime now) const;

  private:
    void leave(const std::string& who, const std::string& claim);
    struct One {
        Hold hold;
        bool has_failed = false;  // The last purchase.
        bool is_waiting = false;  // The hold has begun; it begins when it is first seen without a plan.
    };
    std::map<std::string, One> bought_for_;
    std::map<std::string, std::set<std::string>> by_claim_;
};

}  // namespace joiner::control
