// What is said of pods that wait or have a place to go to, and of claims and pools that fail them: Events for
// people, and the decision log. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "act/services.h"
#include "model/snapshot.h"
#include "observe/decision_log.h"
#include "plan/plan.h"

namespace joiner::control {

class PlacementNotes {
  public:
    PlacementNotes(act::Services& services, observe::DecisionLog& decisions)
        : services_(services), decisions_(decisions) {}

    void decide(const model::PodId& pod, observe::Verdict verdict, plan::SharedReasons reasons);
    void say_waiting(const model::PodId& pod, const plan::SharedReasons& reasons, const std::string& text);
    void say_waiting(const model::PodId& pod, plan::Reason reason);
    // Of all that wait. `doubts_about(pod)`: reasons that stand before the plan's own; where there are none
    // for anybody (`some_doubt` is false), pods that wait for the same reason share what is said.
    void say_waits(const model::Snapshot& snapshot, const std::vector<plan::Wait>& waits, bool some_doubt,
                   const std::function<plan::Reasons(const model::PodView&)>& doubts_about);
    // A warning on the claim and on its pool, where those who can mend it look.
    void warn(const api::NodeClaim& claim, const std::string& reason, const std::string& message);
    void warn_pool_of(const api::NodeClaim& claim, const std::string& reason, const std::string& message);

  private:
    act::Services& services_;
    observe::DecisionLog& decisions_;
};

// Why a pod goes to a node that is there; made once for all pods that go to the same.
class RoomReasons {
  public:
    explicit RoomReasons(const model::Snapshot& snapshot) : snapshot_(snapshot) {}
    const plan::SharedReasons& of(model::RoomIndex room);

  private:
    const model::Snapshot& snapshot_;
    std::map<model::RoomIndex, plan::SharedReasons> known_;
};

// The claim's node is not up, or not as it was promised.
plan::Reason late_node(const std::string& claim, const std::string& why);

}  // namespace joiner::control
