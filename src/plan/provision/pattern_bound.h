// The lower bound where caps set the number of machines: few pods stand on each, so what they leave free
// counts, which sums of resources do not see. Small machines are taken as they are, by what may stand on
// them; large ones may be cut to any size. A linear program over both gives every shape of pod a value; what
// no machine costs less than is then shown for these values by counting, so that the bound holds however good
// they are. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "plan/provision/covering_program.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {

// Machines known to be good, to start from: their rows are those of `requests`.
struct KnownPatterns {
    std::vector<std::vector<double>> requests;  // By row.
    std::vector<bool> is_capped;                // By row.
    std::vector<Pattern> patterns;
};

struct PatternBoundQuestion {
    ResourceColumns columns;                    // What may be bought.
    std::vector<std::vector<double>> requests;  // Pods alike; no two rows are.
    std::vector<double> counts;
    std::vector<bool> is_capped;  // Of those a machine holds one.
};

// `effort` bounds the looks at a place in the table of small machines; where it `is_late` (may be empty), the
// best by then counts.
double pattern_bound(const PatternBoundQuestion& question, const KnownPatterns& known, std::uint64_t effort,
                     const std::function<bool()>& is_late = {});

}  // namespace joiner::plan
