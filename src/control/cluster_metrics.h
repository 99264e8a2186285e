// The gauges of the cluster as a whole: what it costs and could not cost less than, how full its nodes are,
// and what keeps them from consolidation. Summed every ten seconds, since prices change by themselves, and
// never for a scrape. Loop thread.
#pragma once

#include "control/node_prices.h"
#include "model/cluster.h"
#include "observe/decision_log.h"
#include "observe/gauge_set.h"

namespace joiner::control {

class ClusterMetrics {
  public:
    ClusterMetrics(const model::Cluster& cluster, NodePrices& prices, const observe::DecisionLog& decisions,
                   observe::Metrics& metrics)
        : cluster_(cluster), prices_(prices), decisions_(decisions), gauges_(metrics) {}

    void look();

  private:
    void show_money();
    void show_use();
    void show_blocked();

    const model::Cluster& cluster_;
    NodePrices& prices_;
    const observe::DecisionLog& decisions_;
    observe::GaugeSet gauges_;
};

}  // namespace joiner::control
