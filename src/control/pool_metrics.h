// The gauges of NodePools: their limits, what they use and cost, and what their budgets allow. Those of a
// pool that is no more are gone. Loop thread.
#pragma once

#include <map>
#include <string>

#include "model/cluster.h"
#include "observe/gauge_set.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {

class PoolMetrics {
  public:
    PoolMetrics(const model::Cluster& cluster, observe::Metrics& metrics)
        : cluster_(cluster), gauges_(metrics) {}

    // `held_pools`: those that nothing is launched for just to replace something, and why.
    void look(const plan::DisruptionGate& gate,
              const std::map<std::string, std::string, std::less<>>& held_pools);

  private:
    const model::Cluster& cluster_;
    observe::GaugeSet gauges_;
};

}  // namespace joiner::control
