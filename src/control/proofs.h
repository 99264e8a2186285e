// Pods that a disruption has moved, and that are to be ready again wherever they came to. What comes of it is
// told to the breaker of their pool. Loop thread.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/breaker.h"
#include "plan/disrupt/rollout.h"

namespace joiner::control {

class Proofs {
  public:
    struct Proof {
        std::string pool;
        std::string reason;
        std::set<std::string> places;     // Claims that the pods were meant for.
        std::set<std::string> kin;        // Of the pods that moved; kin_of() names it.
        std::set<model::PodKey> arrived;  // Pods of that kin that came to any node since.
        WallTime since;                   // When the first node was let go of.
        WallTime began;
        WallTime until;
        bool counts = true;  // Pods that were not ready before say nothing of the move.
    };

    void add(Proof proof) { open_.push_back(std::move(proof)); }
    bool are_open() const { return !open_.empty(); }
    // A pod has come to a node.
    void note_bound(const std::string& kin, const model::PodKey& pod);
    // True where one has ended.
    bool check(const model::Cluster& cluster, plan::Breaker& breaker, WallTime now);
    void add_places(model::ClaimNames& out) const;
    // How many are open for the reason, by pool.
    void count(std::string_view reason, plan::PoolCounts& out) const;

  private:
    std::vector<Proof> open_;
};

}  // namespace joiner::control
