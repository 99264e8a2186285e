// Says on each NodeOverlay whether it is applied: the conditions ValidationSucceeded and Ready. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "act/services.h"
#include "act/settled_patches.h"
#include "rules/overlay.h"

namespace joiner::control {

class OverlayKeeper {
  public:
    // `reconcile_again()` is called when an overlay may be reconciled that could not be before.
    OverlayKeeper(act::Services& services, std::function<void()> reconcile_again)
        : services_(services), reconcile_again_(std::move(reconcile_again)), patches_(services) {}

    // Reconciles every overlay; cheap when nothing is to be said.
    void reconcile(const std::vector<rules::OverlayProblem>& problems);

  private:
    void patch(const api::NodeOverlay& overlay, const std::vector<api::Condition>& conditions);

    act::Services& services_;
    std::function<void()> reconcile_again_;
    act::SettledPatches patches_;
};

}  // namespace joiner::control
