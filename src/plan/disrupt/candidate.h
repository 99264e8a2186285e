// A node that may be disrupted by choice: what every method chooses from, hands on and acts upon. Pure data.
#pragma once

#include <cstdint>
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
    rules::Money price;              // Saved without it, an hour; 0 where the catalogue has it no more.
    double disruption_cost = 1;      // 1, and what each pod below costs to move.
    std::vector<model::PodId> pods;  // That would have to be made again elsewhere; by namespace and name.
    bool is_spot = false;
    Duration steady_for = Duration::max();  // Since a pod last came or went; as far back as is known.
    std::int64_t milli_cores = 0;           // Of the node's capacity.
    rules::Money interruption_cost = {};    // Of its offering, beside the price; see rules::Offering.
};

}  // namespace joiner::plan
