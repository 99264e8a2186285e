#include "plan/provision/fill_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace joiner::plan {
namespace {

constexpr std::size_t kMostSteps = 256;
constexpr std::uint64_t kEntriesALook = 16;
constexpr std::size_t kNone = ~std::size_t{0};

// Vectors of two, as wide as every machine has them.
constexpr std::size_t kLanes = 2;
using Doubles = double __attribute__((vector_size(kLanes * sizeof(double))));

// REQUIRES: the two do not overlap.
void raise(double* entries, const double* before, std::size_t count, double value) {
    const Doubles more = Doubles{} + value;
    std::size_t c = 0;
    for (; c + kLanes <= count; c += kLanes) {
        Doubles old;
        Doubles other;
        __builtin_memcpy(&old, entries + c, sizeof old);
        __builtin_memcpy(&other, before + c, sizeof other);
        other += more;
        old = old > other ? old : other;
        __builtin_memcpy(entries + c, &old, sizeof old);
    }
    for (; c < count; ++c) entries[c] = std::max(entries[c], before[c] + value);
}

std::size_t steps(double amount, double step) {
    return static_cast<std::size_t>(std::floor(amount / step));
}

}  // namespace

FillTable::FillTable(const FillQuestion& question) : q_(question) {
    const std::size_t n = q_.dimensions;
    const std::size_t rooms = n == 0 ? 0 : q_.rooms->size() / n;
    at_.assign(rooms, kNone);
    const std::vector<std::size_t> scarce = scarce_dimensions();
    if (scarce.empty()) return;
    const std::size_t first = scarce.front();
    const std::size_t second = scarce.back();
    const double row_step = step_of(first);
    const double column_step = step_of(second);
    std::vector<std::pair<std::size_t, std::size_t>> places(rooms, {kNone, kNone});
    for (std::size_t r = 0; r < rooms; ++r) {
        const std::size_t row = steps((*q_.rooms)[r * n + first], row_step);
        const std::size_t column = steps((*q_.rooms)[r * n + second], column_step);
        if (row > kMostSteps || column > kMostSteps) continue;
        places[r] = {row, column};
        rows_ = std::max(rows_, row + 1);
        columns_ = std::max(columns_, column + 1);
    }
    if (rows_ == 0) return;
    for (std::size_t r = 0; r < rooms; ++r) {
        if (places[r].first != kNone) at_[r] = places[r].first * columns_ + places[r].second;
    }
    for (std::uint32_t p = 0; p < q_.counts->size(); ++p) {
        Item item{p, steps((*q_.requests)[p * n + first], row_step),
                  steps((*q_.requests)[p * n + second], column_step), 0, false};
        if (item.rows >= rows_ || item.columns >= columns_ || (*q_.counts)[p] < 1) continue;
        if (item.rows == 0 && item.columns == 0) {
            tiny_.push_back(p);
            continue;
        }
        double fit = std::numeric_limits<double>::infinity();
        if (item.rows > 0) fit = static_cast<double>((rows_ - 1) / item.rows);
        if (item.columns > 0) fit = std::min(fit, static_cast<double>((columns_ - 1) / item.columns));
        item.fits_no_more = (*q_.counts)[p] >= fit;
        item.times = static_cast<std::uint32_t>(std::min(fit, (*q_.counts)[p]));
        items_.push_back(item);
        looks_ += rows_ * columns_ * (item.fits_no_more ? 1 : item.times) / kEntriesALook;
    }
}

// The two that the pods ask the most of, for what the rooms have.
std::vector<std::size_t> FillTable::scarce_dimensions() const {
    const std::size_t n = q_.dimensions;
    std::vector<double> asked(n, 0);
    std::vector<double> there(n, 0);
    for (std::size_t i = 0; i < q_.requests->size(); ++i)
        asked[i % n] += (*q_.requests)[i] * (*q_.counts)[i / n];
    for (std::size_t i = 0; i < q_.rooms->size(); ++i) there[i % n] += (*q_.rooms)[i];
    std::vector<std::size_t> out;
    for (std::size_t d = 0; d < n; ++d) {
        if (asked[d] > 0 && there[d] > 0) out.push_back(d);
    }
    std::stable_sort(out.begin(), out.end(),
                     [&](std::size_t a, std::size_t b) { return asked[a] / there[a] > asked[b] / there[b]; });
    if (out.size() > 2) out.resize(2);
    return out;
}

// The largest of which all requests are multiples; more where half of the rooms had too many of it.
double FillTable::step_of(std::size_t dimension) {
    std::uint64_t common = 0;
    for (std::size_t i = dimension; i < q_.requests->size(); i += q_.dimensions)
        common = std::gcd(common, static_cast<std::uint64_t>((*q_.requests)[i]));
    std::vector<double> amounts;
    for (std::size_t i = dimension; i < q_.rooms->size(); i += q_.dimensions)
        amounts.push_back((*q_.rooms)[i]);
    const auto middle = amounts.begin() + static_cast<std::ptrdiff_t>(amounts.size() / 2);
    std::nth_element(amounts.begin(), middle, amounts.end());
    const double least = std::ceil(*middle / (kMostSteps / 2.0));
    is_exact_ = is_exact_ && least <= static_cast<double>(common);
    return std::max(static_cast<double>(common), least);
}

void FillTable::set_values(const std::vector<double>& values) {
    values_ = values;
    table_.assign(rows_ * columns_, 0);
    for (const Item& item : items_) {
        if (values[item.pod] > 0) put(item, values[item.pod]);
    }
    extra_ = 0;
    for (const std::uint32_t p : tiny_) extra_ += (*q_.counts)[p] * std::max(0.0, values[p]);
}

// From small to large an entry may have taken the item before; from large to small it has not.
void FillTable::put(const Item& item, double value) {
    const std::size_t back = item.rows * columns_ + item.columns;
    for (std::uint32_t i = 0; i < (item.fits_no_more ? 1 : item.times); ++i) {
        for (std::size_t k = item.rows; k < rows_; ++k) {
            const std::size_t row = item.fits_no_more ? k : rows_ - 1 - (k - item.rows);
            double* entries = &table_[row * columns_ + item.columns];
            const double* before = entries - back;
            const std::size_t count = columns_ - item.columns;
            if (item.rows > 0) {
                raise(entries, before, count, value);
            } else if (item.fits_no_more) {
                for (std::size_t c = 0; c < count; ++c) entries[c] = std::max(entries[c], before[c] + value);
            } else {
                for (std::size_t c = count; c-- > 0;) entries[c] = std::max(entries[c], before[c] + value);
            }
        }
    }
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> FillTable::read(std::size_t room) const {
    std::vector<std::uint32_t> counts(items_.size(), 0);
    std::size_t row = at_[room] / columns_;
    std::size_t column = at_[room] % columns_;
    while (true) {
        const double here = table_[row * columns_ + column];
        double most = 0;
        std::size_t best = items_.size();
        for (std::size_t i = 0; i < items_.size() && most < here; ++i) {
            const Item& item = items_[i];
            const double value = values_[item.pod];
            if (value <= 0 || item.rows > row || item.columns > column || counts[i] >= item.times) continue;
            const double worth = table_[(row - item.rows) * columns_ + column - item.columns] + value;
            if (worth <= most) continue;
            most = worth;
            best = i;
        }
        if (best == items_.size()) break;
        ++counts[best];
        row -= items_[best].rows;
        column -= items_[best].columns;
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        if (counts[i] > 0) out.emplace_back(items_[i].pod, counts[i]);
    }
    return out;
}

double FillTable::most(std::size_t room) const {
    return at_[room] == kNone ? std::numeric_limits<double>::infinity() : table_[at_[room]] + extra_;
}

}  // namespace joiner::plan
