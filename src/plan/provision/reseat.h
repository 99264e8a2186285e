// For pods that a plan had to leave out although each of them breaks a rule only where the plan had it: every
// other place, held against the rules by the checker itself. Slow and sure, so for a few pods only. Pure.
#pragma once

#include "plan/plan.h"
#include "plan/provision/provision.h"
#include "plan/verify/binding_order.h"

namespace joiner::plan {

// `plan` is valid in `order`, and `left_out` wait in it. Those that some room, or a machine of their own,
// takes are moved there: to a room first, else to the cheapest machine.
void reseat(const model::Snapshot& snapshot, const ProvisionOptions& options,
            const std::vector<model::PodIndex>& left_out, Plan& plan, Order order = Order::kAny);

// `waits` waits, and has a place once `placed` has another: both are moved so, or nothing is. In `order`.
bool reseat_for(const model::Snapshot& snapshot, const ProvisionOptions& options, model::PodIndex waits,
                model::PodIndex placed, Plan& plan, Order order);

}  // namespace joiner::plan
