// The controller's rounds: soon after something has changed, what is dirty is reconciled; each second, what
// waits for time to pass; each ten, everything. Loop thread.
#pragma once

#include <set>
#include <string>

#include "control/parts.h"

namespace joiner::control {

class Rounds {
  public:
    explicit Rounds(Parts& parts);

    // We act from now on, until parts.is_acting is false again.
    void begin();

  private:
    // Nodes that a process before us may still be filling are left alone for a moment.
    void settle_in();
    void mark_everything();
    // Runs a round soon.
    void soon();
    void run();
    void reconcile_pools();
    void reconcile_claim(const std::string& name);
    void forget_claim(const std::string& name);
    void forget_gone_pools();
    void heed_outages();
    void tick();
    void sweep();
    void tick_disruption();

    Parts& parts_;
    bool is_posted_ = false;
    int ticks_ = 0;
    std::set<std::string> pools_;  // That were there.
};

}  // namespace joiner::control
