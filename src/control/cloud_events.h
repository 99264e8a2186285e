// What becomes of a claim whose instance the cloud speaks of: a machine that is taken back, or stopped for
// maintenance, is drained before its time is up, and its offering counts as short and as one that is taken
// back. Loop thread.
#pragma once

#include <map>
#include <string>

#include "act/lifecycle.h"
#include "act/services.h"
#include "cloud/reports.h"
#include "control/shortages.h"
#include "control/spot_prices.h"

namespace joiner::control {

class CloudEvents {
  public:
    CloudEvents(act::Services& services, act::Lifecycle& lifecycle, Shortages& shortages,
                SpotPrices& spot_prices)
        : services_(services), lifecycle_(lifecycle), shortages_(shortages), spot_prices_(spot_prices) {}

    // Of an instance that is not ours, or that has no claim any more: nothing.
    void note(const cloud::InstanceEvent& event);
    // Each second: claims that must go and could not be written yet.
    void reconcile();

  private:
    struct Ending {
        std::string uid;
        std::optional<WallTime> deadline;
    };
    // Repeatable; true once the deletion is asked for.
    bool end(const std::string& claim, const Ending& ending);

    act::Services& services_;
    act::Lifecycle& lifecycle_;
    Shortages& shortages_;
    SpotPrices& spot_prices_;
    std::map<std::string, Ending> endings_;  // By claim.
};

}  // namespace joiner::control
