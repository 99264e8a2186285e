// For which pods, and from which pools, nothing is bought now, and why: launches that failed, nodes that came
// up and were not what was promised, nodes that do not come up at all. Owned by the Provisioner; loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "act/services.h"
#include "control/placement_notes.h"
#include "control/pool_doubts.h"
#include "control/purchases.h"
#include "model/make_snapshot.h"

namespace joiner::control {

class Holds {
  public:
    Holds(act::Services& services, PlacementNotes& notes) : services_(services), notes_(notes) {}

    void note_bought(const std::string& pod_uid, const std::string& claim, const std::string& pool) {
        purchases_.note_bought(pod_uid, claim, pool);
    }
    // The pod is bound or gone.
    void forget(const std::string& pod_uid) { purchases_.forget(pod_uid); }
    // No instance was made for the claim, and none will be.
    void note_launch_failed(const std::string& claim, const std::string& error) {
        purchases_.note_failed(claim, error);
    }
    // The claim was deleted before its node came up; `reason` as the metrics name it, `why` in one sentence.
    void note_given_up(const api::NodeClaim& claim, std::string_view reason, const std::string& why);
    // Whether nodes come up in time: who does not is given up, and counts against its pool. Now and then.
    void reconcile_newcomers();
    // Before each plan: what is bought by other terms now is tried again.
    void note_new_terms();

    // Why nothing is bought from the pool now; nullptr: it may be.
    const PoolDoubts::Doubt* doubt(const std::string& pool) const;
    bool some_doubt() const { return !doubts_.empty(); }
    // Of the pools that the pod might go to and that are in doubt, one each.
    plan::Reasons doubts_about(const model::PodView& pod) const;
    // Takes pods out of the question for which nothing is bought yet, and says why; with those that are still
    // to come of their ReplicaSets. True where there are any.
    bool hold_back(model::Snapshot& snapshot);
    // When the first of all holds ends.
    std::optional<WallTime> next_end() const;
    // Claims that have not come up in time: nobody relies on their nodes any more.
    const model::ClaimNames& given_up() const { return given_up_; }

    // The pod may take room on a node, once the node is as it was promised; false: it is, as far as is known.
    bool say_awaiting(const model::PodView& pod, const model::RoomView& room);

  private:
    // How the node that was bought last for the pod is not what was promised; empty where it is. nullopt:
    // there is no such node any more.
    std::optional<std::string> broken_promise(const model::PodState& pod, const std::string& claim) const;
    void say_held(const model::PodState& pod, const Purchases::Hold& hold);
    void say_broken(const std::string& claim, const std::string& reason);

    act::Services& services_;
    PlacementNotes& notes_;
    Purchases purchases_;
    PoolDoubts doubts_;
    // By pool: all that says what may be bought from it.
    std::map<std::string, std::string> terms_;
    // Upstream has no limit for this, and pods wait for such nodes for ever.
    model::ClaimNames given_up_;
};

}  // namespace joiner::control
