// Pods that disruption by choice moves: how many of each pool within the last hour, and which nodes they came
// to. Kept in memory only: after a restart the hour begins anew. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"
#include "model/cluster.h"

namespace joiner::control {

// A moved pod is made again by its owner under another name; by this the two are known to be kin. Labels that
// the API server writes on a pod with its node say nothing of its owner.
std::string kin_of(const model::PodState& pod);

class Moves {
  public:
    using Counts = std::map<std::string, std::int64_t, std::less<>>;

    // A pod is about to be evicted off a node of the pool.
    void note_leaving(const std::string& pool, const model::PodState& pod, WallTime now);
    // A pod was bound to the claim's node.
    void note_bound(const model::PodState& pod, const std::string& claim, WallTime now);
    void forget_claim(const std::string& claim) { came_to_.erase(claim); }

    // Pods that have left nodes of each pool within the last hour.
    const Counts& within_the_hour(WallTime now);
    // When a moved pod last came to the claim's node; kNoTime for never.
    WallTime came_to(const std::string& claim) const;

  private:
    struct Move {
        WallTime at;
        std::string pool;
    };
    struct Awaited {
        std::size_t pods = 0;
        WallTime until = kNoTime;  // Later than that they come for other reasons.
    };

    std::deque<Move> moves_;
    Counts counts_;
    std::map<std::string, Awaited> awaited_;  // By kin.
    std::map<std::string, WallTime, std::less<>> came_to_;
};

}  // namespace joiner::control
