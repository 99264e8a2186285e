// The resource linear program: what the pods' sums must cost when machines could be cut to any size. It gives
// the lower bound of a plan and, by its duals, what a unit of each resource is worth. Pure.
//
//     max demand . worth   subject to   capacity_j . worth <= price_j for every machine j,  worth >= 0
#pragma once

#include <vector>

namespace joiner::plan {

struct ResourceColumns {
    std::size_t dimensions = 0;
    std::vector<double> capacities;  // Machine j has capacities[j * dimensions + d].
    std::vector<double> prices;

    std::size_t size() const { return prices.size(); }
    const double* capacity(std::size_t j) const { return &capacities[j * dimensions]; }
};

struct ResourceBound {
    double cost =
        0;  // Valid whatever rounding did: `worth` is scaled until every machine's constraint holds.
    std::vector<double> worth;  // A unit of each dimension.
};

// A dimension that is asked for and that no machine has is left out of the bound.
ResourceBound resource_bound(const ResourceColumns& columns, const std::vector<double>& demand);

}  // namespace joiner::plan
