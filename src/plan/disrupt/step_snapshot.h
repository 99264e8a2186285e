// The cluster as steps of a repack meet it, and whether their pods may stand there. Pure; any thread.
#pragma once

#include <vector>

#include "plan/disrupt/repack.h"

namespace joiner::plan {

// The cluster while the step's nodes are being drained and its pods, which are `pods` in order, wait. Of a
// step that is independent only the rooms that it fills. `rooms`: of the question, those of the snapshot.
model::Snapshot snapshot_of_step(const RepackQuestion& question, const std::vector<model::PoolView>& pools,
                                 const RepackStep& step, const std::vector<model::PodIndex>& pods,
                                 std::vector<model::RoomIndex>& rooms);

// Every pod has a place, and the scheduler could bind each where the step has it. `pools`: what there is to
// buy from.
bool keeps_rules(const RepackQuestion& question, const std::vector<model::PoolView>& pools,
                 const RepackStep& step, const std::vector<model::PodIndex>& pods);

}  // namespace joiner::plan
