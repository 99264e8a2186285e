// When planned pods are handed to the Binder: pods whose rules end at their node as soon as it is up, the
// others together with all that are ready, once the checker of plans agrees (plan/lifecycle/bind_check.h).
// Loop thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "act/binder.h"
#include "act/planned_book.h"
#include "act/services.h"
#include "control/binding_windows.h"
#include "model/make_snapshot.h"

namespace joiner::control {

class Bindings {
  public:
    // `may_bind()`: the facts are fresh enough. `plan_again()`: pods were taken out of `planned`.
    Bindings(act::Services& services, act::PlannedBook& planned, act::Binder& binder,
             const BindingWindows& binding_windows, std::function<bool()> may_bind,
             std::function<void()> plan_again)
        : services_(services),
          planned_(planned),
          binder_(binder),
          binding_windows_(binding_windows),
          may_bind_(std::move(may_bind)),
          plan_again_(std::move(plan_again)) {}

    // Something about the claim, its node or its pods may have changed.
    void reconcile(const std::string& claim);

  private:
    void reconcile_together();
    void give_up(const std::set<std::string>& refused);
    model::Snapshot snapshot_without(const std::map<std::string, std::string>& pods) const;

    act::Services& services_;
    act::PlannedBook& planned_;
    act::Binder& binder_;
    const BindingWindows& binding_windows_;
    std::function<bool()> may_bind_;
    std::function<void()> plan_again_;
    std::map<std::string, WallTime> refused_since_;  // By pod uid.
    bool is_posted_ = false;
};

}  // namespace joiner::control
