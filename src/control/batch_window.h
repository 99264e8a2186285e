// How long pods are gathered before they are planned together. A burst is gathered until it is quiet for a
// moment. Where pods keep coming, batches and the quiet that ends them grow with the time for which they
// have: many small batches end in many machines half full, and cannot put together what goes well together.
// Pure; time is handed in and never goes back. One owner.
#pragma once

#include "base/time.h"

namespace joiner::control {

class BatchWindow {
  public:
    // What Karpenter calls batch-idle-duration and batch-max-duration: upper limits here.
    BatchWindow(Duration most_idle, Duration longest);

    // There is one more thing to plan for: how long the batch stays open if nothing else comes.
    Duration note(Duration now);
    // The batch is planned, or begun anew because it cannot be planned yet.
    void close() { is_open_ = false; }

  private:
    const Duration most_idle_;
    const Duration longest_;
    bool is_open_ = false;
    Duration opened_{0};
    Duration closes_after_{0};  // At the latest, from when it was opened.
    Duration stream_began_{0};
    Duration came_last_{0};
    bool has_begun_ = false;
};

}  // namespace joiner::control
