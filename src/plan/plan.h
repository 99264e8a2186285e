// What the controller wants to happen, and why. A Plan is data: it can be printed, tested and simulated
// without a cluster. Indexes refer to the Snapshot it was made from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"
#include "plan/reason.h"
#include "rules/money.h"

namespace joiner::plan {

// What machine to buy. Any of `types` will do; the first is the cheapest, and what the price is for. Without
// types the requirements say it all, and the provider chooses.
struct MachineSpec {
    model::PoolIndex pool = 0;
    std::vector<std::string> types;
    std::string zone;  // Of the cheapest offering; the claim leaves it open where the pods do.
    std::string capacity_type;
    rules::Money price;
    rules::Money interruption_cost;  // Of that offering; see rules::Offering.
    // So much lower is the price of what else the machine could be, and interruptions would cost more.
    rules::Money paid_for_fewer_interruptions;
    rules::Requirements requirements;  // The pool's and the pods' together.
    rules::Resources requests;         // Pods and the daemons every one of `types` will run.
    bool min_values_relaxed = false;
    // NodeOverlays speak of some of `types`.
    bool has_overlaid_price = false;
    bool has_overlaid_capacity = false;

    rules::Money cost() const { return price + interruption_cost; }
};

// What a machine costs besides its price, an hour: what its pool's nodes do, and its interruptions.
inline rules::Money cost_besides(const model::Snapshot& snapshot, const MachineSpec& spec) {
    return snapshot.pools[spec.pool].node_cost + spec.interruption_cost;
}

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
    // The same as data, shared by pods of a class; nullptr where the sentence says it all.
    SharedReasons why = nullptr;
};

// What one pass of planning took, and what the plan cost after it.
struct PassReport {
    std::string_view name;
    double seconds = 0;
    rules::Money price;
};

struct Plan {
    std::vector<Launch> launches;
    std::vector<Placement> placements;
    std::vector<Wait> waits;
    rules::Money price;        // Of all launches, per hour.
    rules::Money node_cost;    // What they cost besides, per hour: see cost_besides().
    rules::Money lower_bound;  // No feasible plan for the same pods costs less, node costs included.
    std::vector<PassReport> passes;
    std::vector<std::string> cut_offs;  // What was too much to look at, in a sentence each.
    bool is_fallback = false;  // The first plan broke a rule, and this one was made without regard to price.
    double first_plan_seconds = 0;  // When every pod that has a place first had one.
};

}  // namespace joiner::plan
