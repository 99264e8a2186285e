// Which expired and drifted nodes are replaced now: one after the other, within the gate, drift in waves.
// What is decided goes to the Disruptor as a command. Loop thread.
#pragma once

#include <string_view>

#include "control/disruption.h"
#include "control/provisioner.h"
#include "observe/metrics.h"
#include "plan/disrupt/terminate_first.h"

namespace joiner::control {

class Replacer {
  public:
    Replacer(act::Services& services, Provisioner& provisioner, const Disruption& disruption,
             observe::Metrics& metrics, observe::DecisionLog& decisions, plan::TerminateFirst terminate_first)
        : services_(services),
          provisioner_(provisioner),
          disruption_(disruption),
          metrics_(metrics),
          nodes_(decisions, services.cluster),
          terminate_first_(terminate_first) {}

    // Each second. REQUIRES: the watches are fresh.
    void reconcile();
    // Plans where the candidate's pods go and begins to replace it; false where they have no place, and it is
    // put off. REQUIRES: the disruptor may start, and a gate has admitted the candidate.
    bool begin(const plan::Candidate& candidate, std::string_view reason,
               std::optional<Duration> drain_bound = {});

  private:
    void replace_expired();
    void replace_drifted();
    // A command without launches: where its pods go once the candidate has given back what it holds of a
    // reservation, they go when it has. An error: nowhere, or it may not go first.
    Result<plan::DisruptionCommand> plan_to_go_first(const plan::Candidate& candidate,
                                                     std::string_view reason, model::Snapshot& snapshot);
    // Begins where the gate admits it; false where it was tried in vain.
    bool replace(const plan::Candidate& candidate, std::string_view reason, plan::DisruptionGate& gate);

    act::Services& services_;
    Provisioner& provisioner_;
    const Disruption& disruption_;
    observe::Metrics& metrics_;
    NodeDecisions nodes_;
    plan::TerminateFirst terminate_first_;
};

}  // namespace joiner::control
