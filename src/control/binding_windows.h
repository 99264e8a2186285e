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
#include "control/coming_places.h"
#include "control/kept_places.h"
#include "model/cluster.h"

namespace joiner::control {

class BindingWindows {
  public:
    BindingWindows(const model::Cluster& cluster, const act::PlannedBook& planned, const act::Binder& binder,
                   const KeptPlaces& places, const ComingPlaces& coming)
        : cluster_(cluster), planned_(planned), binder_(binder), places_(places), coming_(coming) {}

    // None opens until that is taken back: facts are missing.
    void keep_all_closed(bool are_kept) { are_kept_closed_ = are_kept; }
    // The watches are well again after so long. None opens for a while.
    void note_outage(Duration lasted, WallTime now);
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
    const KeptPlaces& places_;
    const ComingPlaces& coming_;
    bool are_kept_closed_ = false;
    WallTime hold_until_ = kNoTime;
    std::map<std::string, WallTime, std::less<>> full_since_;
};

}  // namespace joiner::control
