#include "plan/provision/resource_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace joiner::plan {
namespace {

constexpr int kMaxSteps = 200;
// So many steps on one inverse; then it is begun afresh, so that rounding does not gather.
constexpr std::uint32_t kMaxPivots = 500;
constexpr double kTiny = 1e-9;

}  // namespace

// The dual simplex method on the covering form (min price . y, capacity . y >= demand), which starts feasible
// because prices are not negative. The basis is kept as its inverse; there are as many rows as dimensions, a
// handful.
ResourceProgram::ResourceProgram(const ResourceColumns& columns)
    : rows_(columns.dimensions),
      count_(columns.size()),
      amounts_(rows_ * count_),
      prices_(columns.prices),
      scale_(rows_, 0),
      demand_(rows_, 0),
      worth_(rows_, 0),
      row_values_(count_),
      earned_(count_),
      direction_(rows_) {
    for (std::size_t d = 0; d < rows_; ++d) {
        double largest = 0;
        for (std::size_t j = 0; j < count_; ++j) largest = std::max(largest, columns.capacity(j)[d]);
        if (largest <= 0) continue;
        scale_[d] = 1 / largest;
        for (std::size_t j = 0; j < count_; ++j)
            amounts_[d * count_ + j] = std::max(0.0, columns.capacity(j)[d]) * scale_[d];
    }
    start_over();
}

void ResourceProgram::start_over() {
    inverse_.assign(rows_ * rows_, 0);
    for (std::size_t r = 0; r < rows_; ++r) inverse_[r * rows_ + r] = -1;  // Surplus columns.
    basic_price_.assign(rows_, 0);
    basic_.assign(rows_, kSurplus);
    scaled_worth_.assign(rows_, 0);
    pivots_ = 0;
}

const std::vector<double>& ResourceProgram::solve(const double* demand) {
    if (pivots_ > kMaxPivots) start_over();
    for (std::size_t d = 0; d < rows_; ++d) demand_[d] = std::max(0.0, demand[d]) * scale_[d];
    for (int step = 0; step < kMaxSteps && improve(); ++step) {
    }
    cost_ = 0;
    for (std::size_t d = 0; d < rows_; ++d) {
        const double worth = std::max(0.0, scaled_worth_[d]);
        worth_[d] = worth * scale_[d];
        cost_ += worth * demand_[d];
    }
    return worth_;
}

bool ResourceProgram::improve() {
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

    std::fill(row_values_.begin(), row_values_.end(), 0.0);
    std::fill(earned_.begin(), earned_.end(), 0.0);
    for (std::size_t d = 0; d < rows_; ++d) {
        const double factor = at(leaving, d);
        const double worth = scaled_worth_[d];
        const double* amounts = &amounts_[d * count_];
        for (std::size_t j = 0; j < count_; ++j) {
            row_values_[j] += factor * amounts[j];
            earned_[j] += worth * amounts[j];
        }
    }
    std::uint32_t entering = kSurplus;
    std::size_t entering_surplus = rows_;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < count_; ++j) {
        if (row_values_[j] > -kTiny) continue;
        const double ratio = std::max(0.0, prices_[j] - earned_[j]) / -row_values_[j];
        if (ratio < best) {
            best = ratio;
            entering = static_cast<std::uint32_t>(j);
        }
    }
    for (std::size_t d = 0; d < rows_; ++d) {
        const double row_value = -at(leaving, d);
        if (row_value > -kTiny) continue;
        const double ratio = std::max(0.0, scaled_worth_[d]) / -row_value;
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

void ResourceProgram::pivot(std::size_t leaving, std::uint32_t entering, std::size_t surplus) {
    ++pivots_;
    for (std::size_t r = 0; r < rows_; ++r) {
        direction_[r] = 0;
        if (entering == kSurplus) {
            direction_[r] = -at(r, surplus);
            continue;
        }
        for (std::size_t d = 0; d < rows_; ++d) direction_[r] += at(r, d) * amounts_[d * count_ + entering];
    }
    const double pivot_value = direction_[leaving];
    for (std::size_t d = 0; d < rows_; ++d) inverse_[leaving * rows_ + d] /= pivot_value;
    for (std::size_t r = 0; r < rows_; ++r) {
        if (r == leaving || direction_[r] == 0) continue;
        for (std::size_t d = 0; d < rows_; ++d)
            inverse_[r * rows_ + d] -= direction_[r] * inverse_[leaving * rows_ + d];
    }
    basic_[leaving] = entering;
    basic_price_[leaving] = entering == kSurplus ? 0 : prices_[entering];
    refresh_worth();
}

void ResourceProgram::refresh_worth() {
    for (std::size_t d = 0; d < rows_; ++d) {
        scaled_worth_[d] = 0;
        for (std::size_t r = 0; r < rows_; ++r) scaled_worth_[d] += basic_price_[r] * at(r, d);
    }
}

std::vector<std::pair<std::size_t, double>> ResourceProgram::machines() const {
    std::vector<std::pair<std::size_t, double>> out;
    for (std::size_t r = 0; r < rows_; ++r) {
        if (basic_[r] == kSurplus) continue;
        double count = 0;
        for (std::size_t d = 0; d < rows_; ++d) count += at(r, d) * demand_[d];
        if (count > 0) out.emplace_back(basic_[r], count);
    }
    std::sort(out.begin(), out.end());
    return out;
}

ResourceBound ResourceProgram::bound(const std::vector<double>& demand) {
    ResourceBound out;
    out.worth = solve(demand.data());
    double excess = 1;
    for (std::size_t j = 0; j < count_; ++j) {
        double earned = 0;
        for (std::size_t d = 0; d < rows_; ++d)
            earned += amounts_[d * count_ + j] * std::max(0.0, scaled_worth_[d]);
        if (earned <= 0) continue;
        if (prices_[j] <= 0) return {0, std::vector<double>(rows_, 0)};
        excess = std::max(excess, earned / prices_[j]);
    }
    for (std::size_t d = 0; d < rows_; ++d) {
        out.worth[d] /= excess;
        out.cost += out.worth[d] * std::max(0.0, demand[d]);
    }
    return out;
}

ResourceBound resource_bound(const ResourceColumns& columns, const std::vector<double>& demand) {
    return ResourceProgram(columns).bound(demand);
}

}  // namespace joiner::plan
