// One round of planning: the passes in their order, over all pods of a Snapshot. provision.cc says when one
// round is not enough. Pure.
#pragma once

#include <vector>

#include "plan/provision/provision.h"

namespace joiner::plan {

// What one round is told beside the question.
struct Pace {
    // By pod: planned after all others, by first fit on what those leave. Empty: none.
    std::vector<bool> comes_last = {};
    // What all that a pool's limits leave is worth beside its price, in nano-dollars an hour: the more, the
    // less a plan takes of it.
    double scarcity = 0;
};

struct Planned {
    Plan plan;
    // Pods that break a rule where the plan has them: it may not be carried out then.
    std::vector<model::PodIndex> broken;
    // Pods that others' spread or affinity reckoned with got machines.
    bool is_as_dealt = true;
    double seconds = 0;  // That the round took, by the clock that was handed in.
};

Planned plan_pods(const model::Snapshot& snapshot, const ProvisionOptions& options, const Pace& pace);

// Valid at every step, and without regard to price.
Plan plan_by_first_fit(const model::Snapshot& snapshot, const ProvisionOptions& options);

// More pods, the more urgent ones first; of as many for less money.
bool places_more_than(const model::Snapshot& snapshot, const Plan& a, const Plan& b);

}  // namespace joiner::plan
