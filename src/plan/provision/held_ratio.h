// Plans that keep a pool's ratio of on-demand to spot. How much spot may be bought depends on how much is
// bought in all, so it is guessed, planned, measured, and planned again. Pure; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/provision/provision.h"
#include "rules/capacity_ratio.h"

namespace joiner::plan {

using Mixes = std::map<std::string, rules::CapacityMix, std::less<>>;  // By pool, those that keep a ratio.

Mixes mixes_of(const model::Snapshot& snapshot);
// With what the launches add: on demand the least that one may become, as spot the most.
Mixes mixes_after(Mixes mixes, const model::Snapshot& snapshot, const std::vector<Launch>& launches);
// The first pool that lacks more on demand after than before; nullptr: none. `before` has the same pools.
const std::string* made_worse(const Mixes& before, const Mixes& after);

// The spot part may buy no more than so many thousandths of a core. kNoCap: whatever its limits leave.
inline constexpr std::int64_t kNoCap = std::numeric_limits<std::int64_t>::max();
void cap_spot(model::PoolView& part, std::int64_t milli_cores);

// Whether some pool keeps one.
bool keeps_ratio(const model::Snapshot& snapshot);
// The cheapest of a few plans none of which buys spot that its pool's ratio forbids, as `plan` makes them.
// Pods do not wait for a ratio: where they would, and spot would place them, so much more spot is bought. No
// bound is stated. REQUIRES: keeps_ratio(snapshot).
Plan plan_with_ratio(const model::Snapshot& snapshot, const ProvisionOptions& options,
                     const std::function<Plan(const model::Snapshot&, const ProvisionOptions&)>& plan);

}  // namespace joiner::plan
