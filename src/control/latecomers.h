// Nodes on their way up that no command waits for: replacements of commands that were given up, and those
// that were found at the start, which a process before us may have launched. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "act/lifecycle.h"
#include "act/planned_book.h"
#include "act/services.h"
#include "model/make_snapshot.h"

namespace joiner::control {

class Latecomers {
  public:
    Latecomers(act::Services& services, const act::PlannedBook& planned, act::Lifecycle& lifecycle)
        : services_(services), planned_(planned), lifecycle_(lifecycle) {}

    // Replacements of a command that was given up. What is up is for emptiness to judge; what is not, and is
    // of use to nobody, goes.
    void add(const std::set<std::string>& claims);
    // Each second.
    void reconcile();
    // Those that were found at the start are up, or not waited for any more.
    bool is_start_over() const { return inherited_ && inherited_->empty(); }

  private:
    void send_away();
    void reconcile_inherited();

    act::Services& services_;
    const act::PlannedBook& planned_;
    act::Lifecycle& lifecycle_;
    std::map<std::string, WallTime> until_;       // Claims, and how long they are waited for.
    std::optional<model::ClaimNames> inherited_;  // nullopt before the first pass.
    WallTime began_at_ = kNoTime;
};

}  // namespace joiner::control
