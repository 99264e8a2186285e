// Says what is left alone because it was sold out: on each NodePool in a condition, and so in the decision
// log too, and as gauges. Looks once a minute, so that nothing is written more often. Borrows the services,
// the shortages and the metrics. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "act/services.h"
#include "control/shortages.h"
#include "observe/gauge_set.h"
#include "observe/metrics.h"

namespace joiner::control {

class ShortageNotes {
  public:
    // `say_of_pool()`: hears of each pool of ours what it says in a sentence; empty: nothing.
    ShortageNotes(act::Services& services, const Shortages& shortages, observe::Metrics& metrics,
                  std::function<void(const std::string& pool, std::string message)> say_of_pool)
        : services_(services),
          shortages_(shortages),
          gauges_(metrics),
          say_of_pool_(std::move(say_of_pool)) {}

    // Once a second.
    void look();

  private:
    void show(const std::vector<ShortagesOfClass>& remembered);
    std::string message_for(const api::NodePool& pool, const ShortagesOfClass& of) const;

    act::Services& services_;
    const Shortages& shortages_;
    observe::GaugeSet gauges_;
    std::function<void(const std::string& pool, std::string message)> say_of_pool_;
    WallTime look_after_ = kNoTime;
    bool has_said_ = false;
};

}  // namespace joiner::control
