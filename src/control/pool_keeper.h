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
    PoolKeeper(act::Services& services, observe::Metrics& metrics) : services_(services), metrics_(metrics) {}

    // Looks at every pool; cheap when nothing is to be said.
    void look(bool with_sums);

  private:
    void look_at(const api::NodePool& pool, bool with_sums);
    std::vector<api::Condition> wanted_conditions(const api::NodePool& pool) const;
    void patch(const api::NodePool& pool, std::string_view subresource, std::string body);

    act::Services& services_;
    observe::Metrics& metrics_;
    act::Settling settling_;
};

}  // namespace joiner::control
