// A plan in the making, in the Market's numbers: which offers are bought and what stands on each. A value.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/machine.h"
#include "plan/provision/market.h"

namespace joiner::plan {

struct Take {
    LotIndex lot = 0;
    std::uint32_t count = 0;
};

struct DraftNode {
    OfferIndex offer = 0;    // Or a bin.
    std::vector<Take> take;  // Each lot once.
};

struct Draft {
    std::vector<DraftNode> nodes;
    double price = 0;          // Nano-dollars an hour.
    bool is_complete = false;  // Every pod of the market stands somewhere.
};

// By lot: the pods that stand on none of `nodes`.
std::vector<std::uint32_t> count_left(const Market& market, const std::vector<DraftNode>& nodes);

// Cheaper, or as cheap with fewer machines. Incomplete drafts lose.
bool is_better(const Draft& a, const Draft& b);

// As the rest of planning wants it: the cheapest machine of the pool that holds the pods.
Machine to_machine(const Market& market, const DraftNode& node);

// Whether some type can be the machine, and its pool's minValues let it.
bool is_buyable_machine(const Market& market, const DraftNode& node,
                        MinValuesPolicy policy = MinValuesPolicy::kStrict);

// Pools' limits and minValues hold, and every machine has a type to be.
bool is_sound(const Market& market, const Draft& draft, MinValuesPolicy policy);

}  // namespace joiner::plan
