// When nodes that stand in for a heavier NodePool give way to nodes of that pool (plan/disrupt/pool_return):
// once nothing had to pass it over for a while, one node first and twice as many each time that went well. A
// return that fails, or after which the pool is soon passed over again, makes the next one wait, longer each
// time. Which claims stand in for which pool is on the claims; the waits are in memory only, and end with the
// process. Loop thread.
#pragma once

#include <map>
#include <string>

#include "control/disruption.h"
#include "control/provisioner.h"
#include "plan/disrupt/pool_return.h"

namespace joiner::control {

class PoolReturns {
  public:
    PoolReturns(act::Services& services, const Provisioner& provisioner, const Disruption& disruption)
        : services_(services), provisioner_(provisioner), disruption_(disruption) {}

    // Each second. REQUIRES: the watches are fresh.
    void reconcile();

  private:
    // Of a heavier pool.
    struct Course {
        int setbacks = 0;  // In a row.
        WallTime not_before = kNoTime;
        WallTime returned_at = kNoTime;  // Lately; nothing has passed the pool over since.
        int may_go = 1;                  // Nodes at a time.
    };
    using PassedOver = std::map<std::string, plan::PassedOver, std::less<>>;

    void note_what_came_of_them();
    void note_setback(Course& course);
    void heed(const PassedOver& passed_over);
    // Those that time lets go now, by claim, with the pool they go back to.
    std::map<std::string, std::string, std::less<>> due(const PassedOver& passed_over) const;
    // Begins one at most; false where none could begin.
    bool begin_one(const std::map<std::string, std::string, std::less<>>& due);

    act::Services& services_;
    const Provisioner& provisioner_;
    const Disruption& disruption_;
    std::map<std::string, Course, std::less<>> courses_;
    // Claims on their way back.
    std::map<std::string, std::string, std::less<>> under_way_;
    // Claims whose pods had no place in a heavier pool, and when that was last asked. Who was asked longest
    // ago comes first, so that all have their turn.
    std::map<std::string, WallTime, std::less<>> no_room_;
    WallTime look_again_at_ = kNoTime;
};

}  // namespace joiner::control
