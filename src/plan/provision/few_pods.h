// The cheapest machines for few pods, and of equal prices the fewest, exactly: a dynamic program over how
// many pods of each shape are left. Sums, which other bounds look at, say little where a machine holds two or
// three pods. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "plan/provision/resource_bound.h"

namespace joiner::plan {

struct FewPodsQuestion {
    ResourceColumns columns;            // Cheapest first.
    std::vector<double> requests;       // By shape, then dimension.
    std::vector<std::uint32_t> counts;  // By shape.
    std::vector<bool> admits;           // By column, then shape; empty where all admit all.
};

struct FewPodsAnswer {
    struct Machine {
        std::size_t column = 0;
        std::vector<std::uint32_t> counts;  // By shape.
    };
    double cost = 0;
    std::vector<Machine> machines;
};

// Nothing where some pod fits no machine, or where it would take more than `effort` looks at what a machine
// may hold, or longer than until it `is_late` (asked often; may be empty).
std::optional<FewPodsAnswer> cheapest_for_few(const FewPodsQuestion& question, std::uint64_t effort,
                                              const std::function<bool()>& is_late = {});

}  // namespace joiner::plan
