#include "plan/provision/resource_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace joiner::plan {
namespace {

constexpr int kMaxSteps = 200;
constexpr double kTiny = 1e-9;

// The dual simplex method on the covering form (min price . y, capacity . y >= demand), which starts feasible
// because prices are not negative. The basis is kept as its inverse; there are as many rows as dimensions, a
// handful.
class DualSimplex {
  public:
    DualSimplex(const ResourceColumns& columns, std::vector<double> demand, std::vector<double> scale)
        : columns_(columns), rows_(demand.size()), demand_(std::move(demand)), scale_(std::move(scale)) {
        inverse_.assign(rows_ * rows_, 0);
        for (std::size_t r = 0; r < rows_; ++r) inverse_[r * rows_ + r] = -1;  // Surplus columns.
        basic_.assign(rows_, kSurplus);
        basic_price_.assign(rows_, 0);
        worth_.assign(rows_, 0);
    }

    // In scaled units; not necessarily optimal when the step limit ends it, which only loosens the bound.
    const std::vector<double>& solve() {
        for (int step = 0; step < kMaxSteps && improve(); ++step) {
        }
        return worth_;
    }

  private:
    static constexpr std::size_t kSurplus = std::numeric_limits<std::size_t>::max();

    double at(std::size_t row, std::size_t column) const { return inverse_[row * rows_ + column]; }

    bool improve() {
        std::size_t leaving = rows_;
        double lowest = -kTiny;
        for (std::size_t r = 0; r < rows_; ++r) {
            double value = 0;
            for (std::size_t d = 0; d < rows_; ++d) value += at(r, d) * demand_[d];
            if (value < lowest) {
                lowest = value;
                leaving = r;
            }
        }
        if (leaving == rows_) return false;

        std::size_t entering = kSurplus;
        std::size_t entering_surplus = rows_;
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t j = 0; j < columns_.size(); ++j) {
            const double* capacity = columns_.capacity(j);
            double row_value = 0;
            double earned = 0;
            for (std::size_t d = 0; d < rows_; ++d) {
                const double amount = capacity[d] * scale_[d];
                row_value += at(leaving, d) * amount;
                earned += worth_[d] * amount;
            }
            if (row_value > -kTiny) continue;
            const double ratio = std::max(0.0, columns_.prices[j] - earned) / -row_value;
            if (ratio < best) {
                best = ratio;
                entering = j;
            }
        }
        for (std::size_t d = 0; d < rows_; ++d) {
            const double row_value = -at(leaving, d);
            if (row_value > -kTiny) continue;
            const double ratio = std::max(0.0, worth_[d]) / -row_value;
            if (ratio < best) {
                best = ratio;
                entering = kSurplus;
                entering_surplus = d;
            }
        }
        if (best == std::numeric_limits<double>::infinity()) return false;
        pivot(leaving, entering, entering_surplus);
        return true;
    }

    void pivot(std::size_t leaving, std::size_t entering, std::size_t surplus) {
        std::vector<double> direction(rows_, 0);
        for (std::size_t r = 0; r < rows_; ++r) {
            for (std::size_t d = 0; d < rows_; ++d) {
                const double amount = entering == kSurplus ? (d == surplus ? -1.0 : 0.0)
                                                           : columns_.capacity(entering)[d] * scale_[d];
                direction[r] += at(r, d) * amount;
            }
        }
        const double pivot_value = direction[leaving];
        for (std::size_t d = 0; d < rows_; ++d) inverse_[leaving * rows_ + d] /= pivot_value;
        for (std::size_t r = 0; r < rows_; ++r) {
            if (r == leaving || direction[r] == 0) continue;
            for (std::size_t d = 0; d < rows_; ++d) {
                inverse_[r * rows_ + d] -= direction[r] * inverse_[leaving * rows_ + d];
            }
        }
        basic_[leaving] = entering;
        basic_price_[leaving] = entering == kSurplus ? 0 : columns_.prices[entering];
        for (std::size_t d = 0; d < rows_; ++d) {
            worth_[d] = 0;
            for (std::size_t r = 0; r < rows_; ++r) worth_[d] += basic_price_[r] * at(r, d);
        }
    }

    const ResourceColumns& columns_;
    std::size_t rows_;
    std::vector<double> demand_;
    std::vector<double> scale_;
    std::vector<double> inverse_;
    std::vector<std::size_t> basic_;
    std::vector<double> basic_price_;
    std::vector<double> worth_;
};

}  // namespace

ResourceBound resource_bound(const ResourceColumns& columns, const std::vector<double>& demand) {
    const std::size_t dimensions = columns.dimensions;
    std::vector<double> largest(dimensions, 0);
    for (std::size_t j = 0; j < columns.size(); ++j) {
        for (std::size_t d = 0; d < dimensions; ++d)
            largest[d] = std::max(largest[d], columns.capacity(j)[d]);
    }
    std::vector<double> scale(dimensions, 0);
    std::vector<double> scaled_demand(dimensions, 0);
    for (std::size_t d = 0; d < dimensions; ++d) {
        if (largest[d] <= 0) continue;
        scale[d] = 1 / largest[d];
        scaled_demand[d] = std::max(0.0, demand[d]) * scale[d];
    }
    ResourceBound out;
    out.worth = DualSimplex(columns, scaled_demand, scale).solve();
    for (std::size_t d = 0; d < dimensions; ++d) out.worth[d] = std::max(0.0, out.worth[d]) * scale[d];
    double excess = 1;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        double earned = 0;
        for (std::size_t d = 0; d < dimensions; ++d) earned += columns.capacity(j)[d] * out.worth[d];
        if (earned <= 0) continue;
        if (columns.prices[j] <= 0) return {0, std::vector<double>(dimensions, 0)};
        excess = std::max(excess, earned / columns.prices[j]);
    }
    for (std::size_t d = 0; d < dimensions; ++d) {
        out.worth[d] /= excess;
        out.cost += out.worth[d] * std::max(0.0, demand[d]);
    }
    return out;
}

}  // namespace joiner::plan
