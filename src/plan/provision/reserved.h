// Reservations under limits. Pure.
#pragma once

#include "model/snapshot.h"
#include "plan/plan.h"

namespace joiner::plan {

// Whether pods wait that the limits' share of reservations may be keeping out.
bool may_be_kept_out_by_reservations(const model::Snapshot& snapshot, const Plan& plan);
// The same question with all of the limits for what is not reserved. Indexes stay.
model::Snapshot without_reservations(const model::Snapshot& snapshot);

}  // namespace joiner::plan
