// Looks for sick nodes and removes them by force; which, plan/lifecycle/legacy_repair says. Loop thread.
#pragma once

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/node_decisions.h"
#include "observe/metrics.h"
#include "plan/lifecycle/legacy_repair.h"

namespace joiner::control {

class LegacyRepairer {
  public:
    LegacyRepairer(act::Services& services, plan::LegacyPoliciesByClass policies, act::Lifecycle& lifecycle,
                   observe::Metrics& metrics, observe::DecisionLog& decisions)
        : services_(services),
          policies_(std::move(policies)),
          lifecycle_(lifecycle),
          metrics_(metrics),
          nodes_(decisions, services.cluster) {}

    // Each second; cheap until the next node is due. REQUIRES: the watches are fresh.
    void reconcile();
    // A node that turns up past its time is reconciled in that moment: its condition may not last.
    void node_changed(const std::string& name);
    // The node is to be removed, or its condition has been bad for too long.
    bool is_concerned_with(const model::ClaimState& claim, const model::NodeState& node) const;

  private:
    void repair(const plan::LegacySickNode& sick);
    void say(const plan::LegacySickNode& sick, bool is_warning, const std::string& reason,
             const std::string& message);

    act::Services& services_;
    const plan::LegacyPoliciesByClass policies_;
    act::Lifecycle& lifecycle_;
    observe::Metrics& metrics_;
    NodeDecisions nodes_;
    WallTime next_reconcile_ = kNoTime;
    std::set<std::string> begun_;  // Claims: decided, whatever their nodes say by now.
};

}  // namespace joiner::control
