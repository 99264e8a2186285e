// What every method of voluntary disruption chooses from, as it is at this moment. Loop thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "act/services.h"
#include "control/disruption_ledger.h"
#include "control/provisioner.h"
#include "plan/disrupt/candidates.h"

namespace joiner::control {

// When a pod last came to or left the claim's node, by claim name.
using PodEvents = std::map<std::string, WallTime, std::less<>>;

class DisruptionGround {
  public:
    DisruptionGround(act::Services& services, const Provisioner& provisioner, DisruptionLedger& ledger,
                     const PodEvents& last_pod_event)
        : services_(services), provisioner_(provisioner), ledger_(ledger), last_pod_event_(last_pod_event) {}

    // They refer to this object.
    plan::DisruptionFacts facts() const;
    // The question "where would their pods go?" for these nodes. Without the last resort, nodes that are
    // about to go themselves take none of them. `gives_back`: whose reservations count as free.
    enum class Rooms { kThatStay, kWithLastResort };
    model::Snapshot snapshot_without(const std::vector<plan::Candidate>& leaving,
                                     Rooms rooms = Rooms::kThatStay,
                                     const model::ClaimNames* gives_back = nullptr) const;
    // Claims of nodes that are about to go for what they are: drifted, or near the end of their time.
    model::ClaimNames outgoing() const;

  private:
    act::Services& services_;
    const Provisioner& provisioner_;
    DisruptionLedger& ledger_;
    const PodEvents& last_pod_event_;
};

}  // namespace joiner::control
