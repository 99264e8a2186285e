// The gauges of what clouds sell, under Karpenter's names: each type's size, and each offering's price and
// whether it is to be had. They are thousands, so they are looked at once a minute where something has
// changed, and set some at a time. Borrows the services and the metrics. Loop thread.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "act/services.h"
#include "observe/metrics.h"

namespace joiner::control {

class OfferingMetrics {
  public:
    OfferingMetrics(act::Services& services, observe::Metrics& metrics)
        : services_(services), metrics_(metrics) {}

    // Once a second.
    void look();

  private:
    // Type, capacity type and zone; a type itself has no other two.
    using Key = std::tuple<std::string, std::string, std::string>;
    // Of a type: cores and bytes of memory. Of an offering: 1 where it is to be had, and dollars per hour.
    using Values = std::map<Key, std::pair<double, double>>;

    std::vector<cloud::InstanceTypes> types_now() const;
    void find_changes();
    void show(const Key& key);

    act::Services& services_;
    observe::Metrics& metrics_;
    std::vector<cloud::InstanceTypes> seen_;
    WallTime look_after_ = kNoTime;
    Values wanted_;
    Values shown_;
    std::deque<Key> changes_;  // Where the two differ.
};

}  // namespace joiner::control
