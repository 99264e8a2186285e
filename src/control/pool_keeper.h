// Keeps each NodePool's own fields true: the validation and readiness conditions, the drift hash, and the
// sums in its status. Loop thread.
#pragma once

#include <map>
#include <string>

#include "act/services.h"
#include "act/settling.h"
#include "observe/metrics.h"

namespace joiner::control {

class PoolKeeper {
  public:
    // `look_again()` is called when a pool may be looked at that could not be before.
    PoolKeeper(act::Services& services, observe::Metrics& metrics, std::function<void()> look_again)
        : services_(services), metrics_(metrics), look_again_(std::move(look_again)) {}

    // Looks at every pool; cheap when nothing is to be said.
    void look(bool with_sums);

  private:
    void look_at(const api::NodePool& pool, bool with_sums);
    std::vector<api::Condition> wanted_conditions(const api::NodePool& pool) const;
    void patch(const api::NodePool& pool, std::string_view subresource, std::string body);

    act::Services& services_;
    observe::Metrics& metrics_;
    std::function<void()> look_again_;
    act::Settling settling_;
};

}  // namespace joiner::control
