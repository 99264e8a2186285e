// What the controller wants to happen, and why. A Plan is data: it can be printed, tested and simulated
// without a cluster. Indexes refer to the Snapshot it was made from.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/snapshot.h"
#include "rules/money.h"

namespace joiner::plan {

// What machine to buy. Any of `types` will do; the first is the cheapest, and what the price is for.
struct MachineSpec {
    model::PoolIndex pool = 0;
    std::vector<std::string> types;
    std::string zone;  // Of the cheapest offering; the claim leaves it open where the pods do.
    std::string capacity_type;
    rules::Money price;
    rules::Requirements requirements;  // The pool's and the pods' together.
    rules::Resources requests;         // Pods and the daemons every one of `types` will run.
    bool min_values_relaxed = false;
};

// One machine to buy, and what it is for. Machines alike share their spec.
struct Launch {
    std::shared_ptr<const MachineSpec> spec;
    std::vector<model::PodIndex> pods;
};

// A pod that goes where there is room already.
struct Placement {
    model::PodIndex pod = 0;
    model::RoomIndex room = 0;
};

// A pod that fits nowhere, and why, on which pool, and how far the nearest type was.
struct Wait {
    model::PodIndex pod = 0;
    std::string reason;
};

struct Plan {
    std::vector<Launch> launches;
    std::vector<Placement> placements;
    std::vector<Wait> waits;
    rules::Money price;        // Of all launches, per hour.
    rules::Money lower_bound;  // No feasible plan for the same pods costs less.
};

}  // namespace joiner::plan
