// Says on each NodeOverlay whether it is applied: the conditions ValidationSucceeded and Ready. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "act/services.h"
#include "act/settling.h"
#include "rules/overlay.h"

namespace joiner::control {

class OverlayKeeper {
  public:
    // `look_again()` is called when an overlay may be looked at that could not be before.
    OverlayKeeper(act::Services& services, std::function<void()> look_again)
        : services_(services), look_again_(std::move(look_again)) {}

    // Looks at every overlay; cheap when nothing is to be said.
    void look(const std::vector<rules::OverlayProblem>& problems);

  private:
    void patch(const api::NodeOverlay& overlay, const std::vector<api::Condition>& conditions);

    act::Services& services_;
    std::function<void()> look_again_;
    act::Settling settling_;
};

}  // namespace joiner::control
