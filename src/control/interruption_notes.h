// Says what was learned of interruptions, as gauges: of each offering that was taken back how often that
// happens, and what it costs beside the price. Looks once a minute. Borrows the services, the prices and the
// metrics. Loop thread.
#pragma once

#include <map>

#include "act/services.h"
#include "control/spot_prices.h"
#include "observe/gauge_set.h"
#include "observe/metrics.h"

namespace joiner::control {

class InterruptionNotes {
  public:
    InterruptionNotes(act::Services& services, const SpotPrices& prices, observe::Metrics& metrics)
        : services_(services), prices_(prices), gauges_(metrics) {}

    // Once a second.
    void look();

  private:
    std::map<rules::OfferingKey, rules::Money> costs() const;

    act::Services& services_;
    const SpotPrices& prices_;
    observe::GaugeSet gauges_;
    WallTime look_after_ = kNoTime;
    bool has_said_ = false;
};

}  // namespace joiner::control
