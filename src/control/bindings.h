// When planned pods are handed to the Binder: pods whose rules end at their node as soon as it is up, the
// others together with all that are ready, once the checker of plans agrees (plan/lifecycle/bind_check.h).
// Loop thread.
#pragma once

#include <functional>
#include <string>

#include "act/binder.h"
#include "act/planned_book.h"
#include "act/services.h"
#include "control/windows.h"
#include "model/make_snapshot.h"

namespace joiner::control {

class Bindings {
  public:
    // `may_bind()`: the facts are fresh enough.
    Bindings(act::Services& services, act::PlannedBook& planned, act::Binder& binder, const Windows& windows,
             std::function<bool()> may_bind)
        : services_(services),
          planned_(planned),
          binder_(binder),
          windows_(windows),
          may_bind_(std::move(may_bind)) {}

    // Something about the claim, its node or its pods may have changed.
    void look(const std::string& claim);

  private:
    void look_further();
    model::Snapshot snapshot_without(const std::map<std::string, std::string>& pods) const;

    act::Services& services_;
    act::PlannedBook& planned_;
    act::Binder& binder_;
    const Windows& windows_;
    std::function<bool()> may_bind_;
    bool is_posted_ = false;
};

}  // namespace joiner::control
