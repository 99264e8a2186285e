// A disruption that is being carried out, and how far it is. The Disruptor's own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/kept_places.h"
#include "plan/disrupt/command.h"

namespace joiner::control {

struct RunningCommand {
    enum class Phase { kMark, kWait, kClose, kLeave };
    struct Launch {
        std::shared_ptr<const plan::MachineSpec> spec;
        model::PoolView pool;
        rules::Resources reserved;  // What the moving pods will take of it.
        std::vector<KeptPlaces::Mover> movers;
        std::string passed_over;  // A heavier pool that had nothing for it; empty: none.
    };

    KeptPlaces::Number number = 0;  // Also of what it keeps.
    Phase phase = Phase::kMark;
    std::string reason;
    std::string pool;                  // Of the first leaving node; what comes of it is held against it.
    std::vector<std::string> leaving;  // Claims.
    std::vector<Launch> launches;      // To be created once all is marked.
    std::set<std::string> created;     // Claims.
    std::set<std::string> places;      // Claims its pods move to.
    std::set<std::string> kin;         // Of the pods that move.
    std::set<model::PodKey> arrived;   // Pods of that kin which came to a node since.
    // Claims whose nodes the scheduler is to be told to pass over before it places the pods.
    std::set<std::string> untold;
    WallTime began = kNoTime;
    rules::Money saves;            // An hour, as it was planned.
    rules::Money costs_after;      // Of `launches`, as they were planned.
    bool has_strays = false;       // Another node was bought for some.
    WallTime closed_at = kNoTime;  // When all nodes that pods go to were seen closed.
    WallTime up_at = kNoTime;
    WallTime launched_at = kNoTime;
    WallTime left_at = kNoTime;           // When the leaving claims were first deleted.
    WallTime deleted_at = kNoTime;        // And last.
    WallTime gone_at = kNoTime;           // When the last of them was.
    std::optional<Duration> drain_bound;  // Pods that are not gone by then after left_at are deleted.
    bool pods_were_ready = true;
    bool has_failed = false;    // A claim could not be created.
    bool has_lost_one = false;  // A leaving claim was deleted by somebody else before it was marked.
    // Its pods have had their time to move: what drains still holds up its own node and nothing else.
    bool is_proving = false;
    std::optional<plan::Reason> objection;  // Why it must not go on.

    bool is_revocable() const { return phase != Phase::kLeave; }
};
using RunningCommands = std::map<KeptPlaces::Number, RunningCommand>;  // In the order they began.

}  // namespace joiner::control
