// Plans that come true in the order in which the scheduler takes pods, the urgent ones first: a pod that asks
// nothing of others may be counted by the spread of a less urgent one, which then finds its place forbidden.
#pragma once

#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// `plan` is good in some order. Pods that find their place forbidden in that order are moved, or an urgent
// one is moved for them; those for whom neither does wait. Where pods are few, a plan that holds too when
// those of equal urgency come in any order is taken if it costs no more. Pure.
void hold_to_urgent_first(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan);

}  // namespace joiner::plan
