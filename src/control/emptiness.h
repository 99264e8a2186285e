// When empty nodes are removed: as soon as their time has come and no pods are being planned; which,
// plan/disrupt/empty says. Loop thread.
#pragma once

#include <functional>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/disruption.h"
#include "control/node_decisions.h"
#include "control/provisioner.h"
#include "plan/disrupt/empty.h"

namespace joiner::control {

class Emptiness {
  public:
    // `may_act()`: we lead, and have not been stopped. `facts_are_fresh()`: no watch that it reads is broken.
    Emptiness(act::Services& services, const Provisioner& provisioner, act::Lifecycle& lifecycle,
              const Disruption& disruption, observe::Metrics& metrics, observe::DecisionLog& decisions,
              std::function<bool()> may_act, std::function<bool()> facts_are_fresh)
        : services_(services),
          provisioner_(provisioner),
          lifecycle_(lifecycle),
          disruption_(disruption),
          metrics_(metrics),
          may_act_(std::move(may_act)),
          facts_are_fresh_(std::move(facts_are_fresh)),
          nodes_(decisions, services.cluster) {}

    // A pod came to a node or left one.
    void note_pod_event();
    // Now and then.
    void reconcile();

  private:
    void reconcile_in(Duration delay);
    void remove_empty();
    void decide(const plan::EmptyPlan& plan);

    act::Services& services_;
    const Provisioner& provisioner_;
    act::Lifecycle& lifecycle_;
    const Disruption& disruption_;
    observe::Metrics& metrics_;
    std::function<bool()> may_act_;
    std::function<bool()> facts_are_fresh_;
    NodeDecisions nodes_;
    io::TimerId timer_ = 0;
    Duration due_at_{0};  // Of the loop's monotonic time.
};

}  // namespace joiner::control
