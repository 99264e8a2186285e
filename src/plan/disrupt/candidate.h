// A node that may be disrupted by choice: what every method chooses from, hands on and acts upon. Pure data.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "rules/money.h"

namespace joiner::plan {

struct Candidate {
    std::string claim;  // Empty where a node has none, as in a simulation.
    std::string node;
    std::string pool;
    rules::Money price;               // Of its offering, an hour; 0 where the catalogue has it no more.
    double disruption_cost = 1;       // 1, and what each pod below costs to move.
    std::vector<model::PodKey> pods;  // That would have to be made again elsewhere; sorted.
    bool is_spot = false;
    // When a pod last came to the node because of a disruption by choice; kNoTime for never. What brought it
    // there has not paid for itself yet, so the node rests for a while.
    WallTime rests_since = kNoTime;
};

}  // namespace joiner::plan
