// Keeps the deletion costs of ReplicaSets' pods (gate PodDeletionCostManagement), so that a scale-in falls on
// the nodes that should go anyway; what each should be, plan/disrupt/deletion_cost says. Loop thread.
#pragma once

#include <cstdint>
#include <deque>

#include "act/services.h"
#include "control/disruption.h"
#include "observe/gauge_set.h"
#include "observe/metrics.h"
#include "plan/disrupt/deletion_cost.h"

namespace joiner::control {

class DeletionCosts {
  public:
    DeletionCosts(act::Services& services, const Disruption& disruption, observe::Metrics& metrics)
        : services_(services), disruption_(disruption), metrics_(metrics), pending_(metrics) {}

    // Each second; there is something to do once a minute, where facts have changed. REQUIRES: the watches
    // are fresh.
    void reconcile();

  private:
    struct Write {
        plan::DeletionCost wanted;
        int tries = 0;
    };
    // Sends what waits, a few at a time: other writes must not wait behind all of them.
    void pump();
    void send(Write write);
    void answered(Write write, const Result<std::string>& result);
    void note(std::string_view result);

    act::Services& services_;
    const Disruption& disruption_;
    observe::Metrics& metrics_;
    WallTime next_pass_ = kNoTime;
    WallTime last_pass_ = kNoTime;
    std::uint64_t seen_version_ = 0;
    std::deque<Write> waiting_;
    int under_way_ = 0;
    observe::GaugeSet pending_;
};

}  // namespace joiner::control
