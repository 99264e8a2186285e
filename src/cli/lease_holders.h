// Who leads in a cluster, by Karpenter's leases. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace joiner::cli {

struct LeaseHolder {
    std::string lease;  // "namespace/name"
    std::string holder;
    bool is_joiner = false;
};

// Those that renewed theirs within the last minute. `leases`: a list, JSON; nullopt where it is none.
std::optional<std::vector<LeaseHolder>> lease_holders(std::string_view leases, WallTime now);

}  // namespace joiner::cli
