// How much of a NodePool's capacity stays on demand: a base, and a part of what is above it, as an Auto
// Scaling group has them (OnDemandBaseCapacity, OnDemandPercentageAboveBaseCapacity). Counted in thousandths
// of a core of node capacity, because nodes differ in size; reserved capacity counts as on demand. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "api/karpenter.h"

namespace joiner::rules {

struct CapacityRatio {
    std::int64_t base = 0;  // Of the first so many none is spot.
    int percent = 0;        // Of what is above: on demand, 0 to 100.

    friend bool operator==(const CapacityRatio&, const CapacityRatio&) = default;
};

// The capacity of a pool, beside the ratio it is to keep.
struct CapacityMix {
    CapacityRatio ratio;
    std::int64_t on_demand = 0;
    std::int64_t spot = 0;

    // What must be on demand of so much in all; rounded up, and never more than `total`.
    std::int64_t wanted(std::int64_t total) const;
    // How much is missing on demand; 0: the ratio is kept. Where there is no spot, nothing is missing.
    std::int64_t missing() const;
    // How much more spot there may be if the whole came to `total`; not below 0.
    std::int64_t spot_left(std::int64_t total) const;
    // How much more spot there may be beside what is on demand now; not below 0.
    std::int64_t spot_left() const;

    friend bool operator==(const CapacityMix&, const CapacityMix&) = default;
};

// What a pool asks for by its annotations. A pool whose wish cannot be read or kept buys as one that has
// none.
struct RatioWish {
    std::optional<CapacityRatio> ratio;
    // Why there is none though one is asked for: a condition reason, and a sentence. Empty: all is well.
    std::string reason = {};
    std::string problem = {};
};
RatioWish ratio_wish(const api::NodePool& pool);

}  // namespace joiner::rules
