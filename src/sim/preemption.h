// Which pods of lower priority make way for one that found no place, as kube-scheduler's DefaultPreemption
// chooses them: the node on which the least is broken, and of its pods no more than must. Source:
// kubernetes/pkg/scheduler/framework/preemption. Loop thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/scheduler_state.h"

namespace joiner::sim {

struct Preemption {
    std::string node;
    std::vector<SchedulerPodPtr> victims;
};

// Nothing where no node would do. `state` is tried on, and left as it was.
std::optional<Preemption> find_preemption(SchedulerState& state, Verbs& verbs, const SchedulerPod& pod);

}  // namespace joiner::sim
