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

// Those that renewed theirs within the last minute: of leases with Karpenter's name, and of any that a Joiner
// holds. `leases`: a list, JSON; nullopt where it is none.
std::optional<std::vector<LeaseHolder>> lease_holders(std::string_view leases, WallTime now);

// The same whatever the clock of this machine says: those whose lease was renewed between two looks.
// nullopt where one of them is no list. `has_any`: some controller has had such a lease, held now or not.
struct ActiveHolders {
    std::vector<LeaseHolder> holders;
    bool has_any = false;
};
std::optional<ActiveHolders> active_holders(std::string_view before, std::string_view after);

}  // namespace joiner::cli
