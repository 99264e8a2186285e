// Claims of the access mode ReadWriteOncePod, which one pod has at a time: who has it, or gets it next. Pure
// reading of the Cluster; loop thread. Source: kube-scheduler's VolumeRestrictions.
#pragma once

#include <map>
#include <string>

#include "model/make_snapshot.h"

namespace joiner::model {

class ExclusiveClaims {
  public:
    // Both are borrowed. `planned` may be nullptr.
    ExclusiveClaims(const Cluster& cluster, const PlannedPods* planned)
        : cluster_(cluster), planned_(planned) {}

    // Why the pod must wait for another one that shares such a claim with it; empty when it need not.
    std::string problem(const PodState& pod);

  private:
    bool has_some(const PodState& pod) const;
    void find_users();
    // 0: it stands on a node; 1: a node is meant for it; 2: it waits.
    int rank(const PodState& pod) const;
    void take(const PodState& pod);

    const Cluster& cluster_;
    const PlannedPods* planned_;
    bool is_known_ = false;
    std::map<std::string, const PodState*> users_;  // By "ns/claim".
};

}  // namespace joiner::model
