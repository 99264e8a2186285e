// Looks for sick nodes and has them replaced or rebooted, as a method of voluntary disruption; which,
// plan/disrupt/repair says. Loop thread.
#pragma once

#include <optional>
#include <string>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/disruption.h"
#include "control/node_decisions.h"
#include "control/replacer.h"
#include "control/static_pools.h"
#include "observe/metrics.h"
#include "plan/disrupt/repair.h"

namespace joiner::control {

class Repairer {
  public:
    Repairer(act::Services& services, const plan::RepairPoliciesByClass& policies, act::Lifecycle& lifecycle,
             const Disruption& disruption, Replacer& replacer, StaticPools& static_pools,
             observe::Metrics& metrics, observe::DecisionLog& decisions)
        : services_(services),
          policies_(policies),
          lifecycle_(lifecycle),
          disruption_(disruption),
          replacer_(replacer),
          static_pools_(static_pools),
          metrics_(metrics),
          nodes_(decisions, services.cluster) {}

    // Each second, before all other methods; cheap until a node is past its time. REQUIRES: the watches are
    // fresh.
    void reconcile();
    // A sick node is not waited for until the next pass is due.
    void node_changed(const std::string& name);

  private:
    // False: it stays as it is for now, and others get their turn.
    bool repair(const plan::SickNode& sick, plan::DisruptionGate& gate);
    // False while the request is not seen on the claim.
    bool request_reboot();
    void say_too_many(const plan::Blocked& one);
    void note_begun(const plan::SickNode& sick);

    act::Services& services_;
    const plan::RepairPoliciesByClass& policies_;
    act::Lifecycle& lifecycle_;
    const Disruption& disruption_;
    Replacer& replacer_;
    StaticPools& static_pools_;
    observe::Metrics& metrics_;
    NodeDecisions nodes_;
    plan::RebootHistory reboots_;
    std::optional<plan::SickNode> rebooting_;  // Decided, and not seen on its claim yet.
    WallTime next_reconcile_ = kNoTime;
};

}  // namespace joiner::control
