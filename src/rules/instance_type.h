// A machine one can buy: what it holds, what labels its nodes carry, and its offerings (zone, capacity type,
// price). Made by a cloud provider, read by the model's catalogue. Value types; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rules/money.h"
#include "rules/requirement.h"
#include "rules/resources.h"

namespace joiner::rules {

struct Offering {
    Requirements requirements;  // Zone and capacity type at least, one value each.
    Money price;                // Per hour.
    bool available = true;
    int reservation_capacity = 0;
    std::string reservation_id = {};  // Of a reservation that has a name; empty otherwise.
    // What its interruptions are learned to cost, per hour, beyond those of any other; nobody is billed for
    // it.
    Money interruption_cost = {};

    std::string_view zone() const;
    std::string_view capacity_type() const;
    // What offerings are compared by: the price, and what interruptions cost.
    Money cost() const { return price + interruption_cost; }
};

struct InstanceType {
    std::string name;
    Requirements requirements;  // Defines every well-known label.
    std::vector<Offering> offerings;
    Resources capacity;
    Resources overhead;  // Kube and system reserve and eviction threshold.
    // How many volumes of a CSI driver may be attached; a driver that is not named has no known limit.
    std::vector<std::pair<std::string, int>> volume_limits;
    // A NodeOverlay has said what it costs, or what more it holds.
    bool has_overlaid_price = false;
    bool has_overlaid_capacity = false;

    // What pods may use: capacity less overhead, memory less hugepages too, never below zero.
    Resources allocatable() const;
};

// The available offering of the least cost that `wanted` allows; ties by zone, then capacity type. nullptr if
// none.
const Offering* cheapest_offering(const InstanceType& type, const Requirements& wanted,
                                  const WellKnownLabels& well_known);

}  // namespace joiner::rules
