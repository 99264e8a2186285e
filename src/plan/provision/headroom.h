// Room that CapacityBuffers keep: pods first, headroom in what they leave. Pure.
#pragma once

#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// Whether headroom and pods may want the same room.
bool is_headroom_at_stake(const model::Snapshot& snapshot);

// Pods take the room that is there as if there were no headroom; then the others and the headroom are planned
// together, so that what is bought serves both. Where rules among pods do not bear that, headroom waits for
// the next plan. The bound is that of the pods: it holds for any plan. `plan(snapshot)` makes a plan without
// regard to who is headroom.
Plan plan_with_headroom(const model::Snapshot& snapshot,
                        const std::function<Plan(const model::Snapshot&)>& plan);

}  // namespace joiner::plan
