// What cores and memory cost at the least, whoever packs them: no set of the machines that are sold holds so
// many of both for less. It looks at two resources and at no rule of any pod, so the real least is this much
// or more. Pure.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "rules/money.h"

namespace joiner::plan {

// One machine that can be had: what pods may use of it, and what an hour of it costs.
struct SoldMachine {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    rules::Money price;

    friend auto operator<=>(const SoldMachine&, const SoldMachine&) = default;
};

// An hour. Nothing is sold: 0, since nothing is known.
rules::Money price_floor(std::int64_t cpu_milli, std::int64_t memory_bytes, std::vector<SoldMachine> sold);

}  // namespace joiner::plan
