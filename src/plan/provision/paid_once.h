// Commitments that several pools may use: each pool's plan counts by itself what is left. Pure.
#pragma once

#include <optional>

#include "model/snapshot.h"
#include "plan/plan.h"

namespace joiner::plan {

// The same question with what is left of the commitments that the plan takes more of than there is, dealt to
// the pools that take it, in their order; what nobody takes goes to the first that may. Indexes stay.
// nullopt: the plan takes no more than there is.
std::optional<model::Snapshot> with_commitments_dealt(const model::Snapshot& snapshot, const Plan& plan);

// Whether commitments pay for some of the plan, and its bound may say little: it does not count how much
// there is of them.
bool may_have_a_better_bound(const model::Snapshot& snapshot, const Plan& plan);
// The same question if nothing were paid for. Whatever plan costs no less there costs here no less than that
// less what commitments save at most. Indexes stay.
model::Snapshot at_list_price(const model::Snapshot& snapshot);

}  // namespace joiner::plan
