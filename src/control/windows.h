// When the binding window of a node may open to the scheduler (docs/binding.md). The scheduler follows pods
// and nodes by two watches that do not wait for one another: it may see a node open before it sees the pods
// that were bound there, and fill it a second time. Nobody can ask it how far it is, so a window opens late
// rather than early; the pods on the node lose nothing by that. Loop thread.
#pragma once

#include <map>
#include <string>

#include "act/binder.h"
#include "act/planned_book.h"
#include "base/time.h"
#include "model/cluster.h"

namespace joiner::control {

class Windows {
  public:
    Windows(const model::Cluster& cluster, const act::PlannedBook& planned, const act::Binder& binder)
        : cluster_(cluster), planned_(planned), binder_(binder) {}

    // None opens before.
    void hold_until(WallTime time) { hold_until_ = time; }
    // All that was planned for the claim's node is bound and seen, and has been for long enough. To be asked
    // again and again: the time counts from the first asking.
    bool may_open(const std::string& claim, WallTime now);
    // Closed for so long that no more pods should be planned for it: DaemonSets wait for it to open.
    bool is_overdue(const std::string& claim, WallTime now) const;
    void forget(const std::string& claim) { full_since_.erase(claim); }

  private:
    const model::NodeState* node_of(const std::string& claim) const;
    bool holds_pods(const model::NodeState& node) const;

    const model::Cluster& cluster_;
    const act::PlannedBook& planned_;
    const act::Binder& binder_;
    WallTime hold_until_ = kNoTime;
    std::map<std::string, WallTime, std::less<>> full_since_;
};

}  // namespace joiner::control
