// The resource linear program: what the pods' sums must cost when machines could be cut to any size. It gives
// the lower bound of a plan and, by its duals, what a unit of each resource is worth. Pure.
//
//     max demand . worth   subject to   capacity_j . worth <= price_j for every machine j,  worth >= 0
//
// The constraints do not know the demand, so what was optimal for one demand is a feasible start for the
// next: a program that is asked about similar demands answers in a step or two.
#pragma once

#include <cstdint>
#include <utility>
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

class ResourceProgram {
  public:
    explicit ResourceProgram(const ResourceColumns& columns);

    std::size_t dimensions() const { return rows_; }
    // The worth of a unit of each dimension, from the vertex the last call ended at. Not necessarily optimal
    // when the step limit ends it, and good to rounding only.
    const std::vector<double>& solve(const double* demand);
    // demand . worth of the last solve.
    double cost() const { return cost_; }
    // How many of which column the last solve buys, cut to size; as many columns as dimensions at most.
    std::vector<std::pair<std::size_t, double>> machines() const;
    // A bound that holds in spite of rounding.
    ResourceBound bound(const std::vector<double>& demand);

  private:
    static constexpr std::uint32_t kSurplus = ~0u;

    void start_over();
    bool improve();
    void pivot(std::size_t leaving, std::uint32_t entering, std::size_t surplus);
    void refresh_worth();
    double at(std::size_t row, std::size_t column) const { return inverse_[row * rows_ + column]; }

    std::size_t rows_;
    std::size_t count_;
    std::vector<double> amounts_;  // By dimension, then machine, so that a scan over machines is straight.
    std::vector<double> prices_;
    std::vector<double> scale_;
    std::vector<double> demand_;
    std::vector<double> inverse_;
    std::vector<double> basic_price_;
    std::vector<std::uint32_t> basic_;  // Columns, or kSurplus.
    std::vector<double> scaled_worth_;
    std::vector<double> worth_;
    std::vector<double> row_values_;
    std::vector<double> earned_;
    std::vector<double> direction_;
    std::uint32_t pivots_ = 0;
    double cost_ = 0;
};

// A dimension that is asked for and that no machine has is left out of the bound.
ResourceBound resource_bound(const ResourceColumns& columns, const std::vector<double>& demand);

}  // namespace joiner::plan
