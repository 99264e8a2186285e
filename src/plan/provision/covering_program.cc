#include "plan/provision/covering_program.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace joiner::plan {
namespace {

constexpr double kGain = 1e-7;  // Of a pattern's price: less is rounding.
constexpr double kLeastPivot = 1e-9;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

}  // namespace

CoveringProgram::CoveringProgram(std::vector<double> demand, std::vector<Pattern> singles)
    : rows_(demand.size()), patterns_(std::move(singles)), direction_(rows_) {
    CHECK(patterns_.size() == rows_);
    for (std::size_t r = 0; r < rows_; ++r)
        CHECK(patterns_[r].take.size() == 1 && patterns_[r].take.front().first == r);
    restart(std::move(demand));
}

void CoveringProgram::restart(std::vector<double> demand) {
    CHECK(demand.size() == rows_);
    demand_ = std::move(demand);
    basis_.clear();
    amounts_.clear();
    inverse_.assign(rows_ * rows_, 0);
    for (std::size_t r = 0; r < rows_; ++r) {
        const double count = patterns_[r].take.front().second;
        basis_.push_back(r);
        inverse_[r * rows_ + r] = 1 / count;
        amounts_.push_back(demand_[r] / count);
    }
    value_rows();
}

void CoveringProgram::value_rows() {
    values_.assign(rows_, 0);
    for (std::size_t i = 0; i < rows_; ++i) {
        const double own = price(basis_[i]);
        if (own == 0) continue;
        const double* row = &inverse_[i * rows_];
        for (std::size_t r = 0; r < rows_; ++r) values_[r] += own * row[r];
    }
}

// What saves the most for its price; of equals the first.
std::size_t CoveringProgram::find_entering() const {
    std::size_t best = kNone;
    double most = kGain;
    const double largest = *std::max_element(values_.begin(), values_.end());
    for (std::size_t p = 0; p < patterns_.size(); ++p) {
        double worth = 0;
        for (const auto& [row, count] : patterns_[p].take) worth += count * values_[row];
        const double price = patterns_[p].price;
        const double gain = price > 0 ? worth / price - 1 : worth / largest;
        if (gain <= most) continue;
        most = gain;
        best = p;
    }
    for (std::size_t r = 0; r < rows_; ++r) {
        const double gain = -values_[r] / largest;
        if (gain <= most) continue;
        most = gain;
        best = kSurplus + r;
    }
    return best;
}

bool CoveringProgram::pivot(std::size_t entering) {
    for (std::size_t i = 0; i < rows_; ++i) {
        const double* row = &inverse_[i * rows_];
        double sum = 0;
        if (entering >= kSurplus) {
            sum = -row[entering - kSurplus];
        } else {
            for (const auto& [r, count] : patterns_[entering].take) sum += count * row[r];
        }
        direction_[i] = sum;
    }
    std::size_t leaving = kNone;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < rows_; ++i) {
        if (direction_[i] <= kLeastPivot) continue;
        const double ratio = std::max(0.0, amounts_[i]) / direction_[i];
        // Of equal ratios the larger pivot, which loses fewer digits.
        if (ratio < least || (ratio == least && direction_[i] > direction_[leaving])) {
            least = ratio;
            leaving = i;
        }
    }
    if (leaving == kNone) return false;
    double* pivot_row = &inverse_[leaving * rows_];
    for (std::size_t r = 0; r < rows_; ++r) pivot_row[r] /= direction_[leaving];
    for (std::size_t i = 0; i < rows_; ++i) {
        if (i == leaving || direction_[i] == 0) continue;
        double* row = &inverse_[i * rows_];
        for (std::size_t r = 0; r < rows_; ++r) row[r] -= direction_[i] * pivot_row[r];
        amounts_[i] -= direction_[i] * least;
    }
    amounts_[leaving] = least;
    basis_[leaving] = entering;
    return true;
}

std::size_t CoveringProgram::solve(std::size_t steps) {
    for (std::size_t step = 0; step < steps; ++step) {
        const std::size_t entering = find_entering();
        if (entering == kNone || !pivot(entering)) return step;
        value_rows();
    }
    return steps;
}

double CoveringProgram::cost() const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_; ++i) sum += price(basis_[i]) * amounts_[i];
    return sum;
}

std::vector<std::pair<std::size_t, double>> CoveringProgram::amounts() const {
    std::vector<std::pair<std::size_t, double>> out;
    for (std::size_t i = 0; i < rows_; ++i) {
        if (basis_[i] < kSurplus && amounts_[i] > 0) out.emplace_back(basis_[i], amounts_[i]);
    }
    std::sort(out.begin(), out.end());
    return out;
}

}  // namespace joiner::plan
