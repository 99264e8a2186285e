// What speaks against a command that was begun: until its claims are deleted, everything that made the nodes
// candidates is asked again. Loop thread.
#pragma once

#include <optional>

#include "act/services.h"
#include "control/disruption_ground.h"
#include "control/disruption_ledger.h"
#include "control/running_command.h"
#include "plan/disrupt/repair.h"
#include "plan/disrupt/rollout.h"

namespace joiner::control {

class Objections {
  public:
    Objections(act::Services& services, const DisruptionGround& ground, DisruptionLedger& ledger,
               const plan::RepairPoliciesByClass& repair_policies)
        : services_(services), ground_(ground), ledger_(ledger), repair_policies_(repair_policies) {}

    // Notes on each command that can still be stopped why it must not go on, where that is so.
    void ask(RunningCommands& commands) const;
    // A PodDisruptionBudget, or a pod, that would not let its nodes be drained now.
    std::optional<plan::Reason> by_budgets(const RunningCommand& command) const;

  private:
    std::optional<plan::Reason> to(const RunningCommand& command, const plan::CandidateFinder& finder,
                                   const plan::DisruptionGate& gate) const;
    plan::PoolCounts leaving_nodes(const RunningCommand& command) const;

    act::Services& services_;
    const DisruptionGround& ground_;
    DisruptionLedger& ledger_;
    const plan::RepairPoliciesByClass& repair_policies_;
};

}  // namespace joiner::control
