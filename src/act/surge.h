// Brings up the replacement of a pod before it is evicted; what the next step is, plan/lifecycle/surge says.
// Loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "act/services.h"
#include "plan/lifecycle/surge.h"

namespace joiner::act {

class Surge {
  public:
    explicit Surge(Services& services) : services_(services) {}

    // The pod may be evicted now. Otherwise the next step is on its way, and the pod's node is reconciled
    // again.
    bool may_evict(const model::PodState& pod);
    // Pods that are no more need no memory. To be called now and then.
    void forget_gone();

  private:
    struct State {
        bool in_flight = false;
        WallTime not_before = kNoTime;
        std::optional<bool> service_selects_on_hash;
    };
    struct Owner {
        bool in_flight = false;
        WallTime not_before = kNoTime;
        std::optional<plan::SurgeOwner> seen;
        WallTime seen_at = kNoTime;
        std::optional<WallTime> full_since;
    };
    void ask_services(const model::PodState& pod);
    void ask_owner(const model::PodState& pod);
    void saw_owner(Owner& owner, plan::SurgeOwner seen);
    void release(const model::PodState& pod);
    // The state that an answer is for, or nullptr where nobody waits for it any more.
    State* answered(const std::string& uid);

    Services& services_;
    std::map<std::string, State> states_;  // By pod uid.
    std::map<std::string, Owner> owners_;  // By namespace and name.
};

}  // namespace joiner::act
