// Pods that disruption by choice moves: how many of each pool within the last hour, and which pods rest
// because their move has not paid for itself yet. Kept in memory only: after a restart the hour begins anew,
// and no pod rests. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>

#include "base/time.h"
#include "model/cluster.h"

namespace joiner::control {

// A moved pod is made again by its owner under another name; by this the two are known to be kin. Labels that
// the API server writes on a pod with its node say nothing of its owner.
std::string kin_of(const model::PodState& pod);

class Moves {
  public:
    using Counts = std::map<std::string, std::int64_t, std::less<>>;

    // A pod is about to be evicted off a node of the pool; what is made in its stead rests for so long.
    void note_leaving(const std::string& pool, const model::PodState& pod, Duration rest, WallTime now);
    // A pod was bound to a node.
    void note_bound(const model::PodState& pod, WallTime now);
    void forget_pod(const std::string& uid) { rests_until_.erase(uid); }

    // Pods that have left nodes of each pool within the last hour.
    const Counts& within_the_hour(WallTime now);
    // When the first of those is an hour old, for each pool that has any.
    std::map<std::string, WallTime, std::less<>> eases() const;
    // Until when no saving moves the pod again; kNoTime where nothing has moved it.
    WallTime rests_until(const std::string& uid) const;

  private:
    struct Move {
        WallTime at;
        std::string pool;
    };
    struct Awaited {
        WallTime until = kNoTime;  // Later than that it comes for other reasons.
        WallTime rests_until = kNoTime;
    };

    std::deque<Move> moves_;
    Counts counts_;
    std::map<std::string, std::deque<Awaited>> awaited_;     // By kin, in the order they left.
    std::unordered_map<std::string, WallTime> rests_until_;  // By uid.
};

}  // namespace joiner::control
