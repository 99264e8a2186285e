// How long pods take from their creation to a decision, to a node and to being ready: durations once they are
// over, gauges while they last. A pod counts from when it is first seen without a node; those that no plan
// can place are left out. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/cluster.h"
#include "observe/decision_log.h"
#include "observe/gauge_set.h"
#include "observe/metrics.h"

namespace joiner::control {

class PodMetrics {
  public:
    PodMetrics(const model::Cluster& cluster, const observe::DecisionLog& decisions,
               observe::Metrics& metrics)
        : cluster_(cluster), decisions_(decisions), metrics_(metrics), gauges_(metrics) {}

    // Of each change that the watch shows; `after` is nullptr for a pod that is gone.
    void pod_changed(const model::PodState* before, const model::PodState* after, WallTime now);
    // Each ten seconds: what has not come to an end yet, of the thousand pods that wait longest.
    void look(WallTime now);

  private:
    struct Pending {
        model::PodId id;
        WallTime created;
        WallTime seen;
        std::optional<WallTime> decided;      // Whatever it was.
        std::optional<WallTime> schedulable;  // A plan had a node for it.
        bool is_bound = false;
    };
    void note_decision(Pending& pod);
    void note_bound(Pending& pod, WallTime now);
    void note_ready(Pending& pod, WallTime now);
    void tell(const Pending& pod, WallTime now);

    const model::Cluster& cluster_;
    const observe::DecisionLog& decisions_;
    observe::Metrics& metrics_;
    observe::GaugeSet gauges_;
    std::map<std::string, Pending> pods_;  // By uid; those that are not ready yet.
};

}  // namespace joiner::control
