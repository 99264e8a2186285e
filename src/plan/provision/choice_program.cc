#include "plan/provision/choice_program.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace joiner::plan {
namespace {

constexpr double kFirstGain = 16;  // Times the least: what a column must gain to enter at first,
constexpr double kNextGain = 4;    // and by how much less after that.
constexpr double kLeastPivot = 1e-9;
constexpr double kLeastAmount = 1e-9;       // Less is rounding.
constexpr std::size_t kChoicesAtOnce = 16;  // Between two looks at the columns of no choice.

// Vectors of two, as wide as every machine has them.
constexpr std::size_t kLanes = 2;
using Doubles = double __attribute__((vector_size(kLanes * sizeof(double))));

void subtract(double* from, const double* what, std::size_t count, double times) {
    const Doubles all = Doubles{} + times;
    std::size_t c = 0;
    for (; c + kLanes <= count; c += kLanes) {
        Doubles a;
        Doubles b;
        __builtin_memcpy(&a, from + c, sizeof a);
        __builtin_memcpy(&b, what + c, sizeof b);
        a -= all * b;
        __builtin_memcpy(from + c, &a, sizeof a);
    }
    for (; c < count; ++c) from[c] -= times * what[c];
}

}  // namespace

ChoiceProgram::ChoiceProgram(const std::vector<double>& demand, const std::vector<Pattern>& singles,
                             std::vector<double> times)
    : rows_(demand.size()),
      times_(std::move(times)),
      of_choice_(times_.size()),
      key_(times_.size(), kEmpty),
      key_amounts_(times_),
      basis_choice_(rows_, kNone),
      inverse_(rows_ * rows_, 0),
      direction_(rows_, 0),
      key_rates_(times_.size(), 0) {
    CHECK(singles.size() == rows_);
    add_column(0, {});
    for (std::vector<std::uint32_t>& columns : of_choice_) columns.push_back(kEmpty);
    for (std::size_t r = 0; r < rows_; ++r) {
        CHECK(singles[r].take.size() == 1 && singles[r].take.front().first == r);
        const double count = singles[r].take.front().second;
        basis_.push_back(add_column(singles[r].price, singles[r].take));
        free_.push_back(basis_.back());
        inverse_[r * rows_ + r] = 1 / count;
        amounts_.push_back(demand[r] / count);
    }
    value_rows();
}

std::uint32_t ChoiceProgram::add_column(double price, const Entries& take) {
    const std::size_t begin = entries_.size();
    entries_.insert(entries_.end(), take.begin(), take.end());
    columns_.push_back({price, begin, entries_.size()});
    return static_cast<std::uint32_t>(columns_.size() - 1);
}

void ChoiceProgram::add(const Pattern& pattern) {
    free_.push_back(add_column(pattern.price, pattern.take));
}

void ChoiceProgram::add_to_choice(std::uint32_t choice, const Entries& take) {
    of_choice_[choice].push_back(add_column(0, take));
}

double ChoiceProgram::worth(std::uint32_t column) const {
    if (column >= kSurplus) return -values_[column - kSurplus];
    double sum = 0;
    for (std::size_t i = columns_[column].begin; i < columns_[column].end; ++i)
        sum += entries_[i].second * values_[entries_[i].first];
    return sum;
}

double ChoiceProgram::gain(std::uint32_t choice, const Entries& take) const {
    double sum = -worth(key_[choice]);
    for (const auto& [row, count] : take) sum += count * values_[row];
    return sum;
}

void ChoiceProgram::value_rows() {
    values_.assign(rows_, 0);
    for (std::size_t i = 0; i < rows_; ++i) {
        const double own = price(basis_[i]);
        if (own == 0) continue;
        const double* row = &inverse_[i * rows_];
        for (std::size_t r = 0; r < rows_; ++r) values_[r] += own * row[r];
    }
}

// What saves much comes first.
std::size_t ChoiceProgram::solve(std::size_t steps, double least_gain) {
    std::size_t done = 0;
    for (double times = kFirstGain; times >= 1; times /= kNextGain) {
        least_gain_ = times * least_gain;
        while (done < steps) {
            const std::size_t before = done;
            done += cycle(steps - done);
            if (done == before) break;
        }
    }
    return done;
}

// Once over all columns.
std::size_t ChoiceProgram::cycle(std::size_t steps) {
    std::size_t done = 0;
    while (done < steps && enter_free()) ++done;
    for (std::uint32_t choice = 0; choice < times_.size() && done < steps; ++choice) {
        if (enter_of(choice)) ++done;
        if (choice % kChoicesAtOnce == 0 && enter_free()) ++done;
    }
    return done;
}

// What saves the most; of equals the first.
bool ChoiceProgram::enter_free() {
    std::uint32_t best = kNone;
    double most = least_gain_;
    for (const std::uint32_t column : free_) {
        const double gain = worth(column) - columns_[column].price;
        if (gain <= most) continue;
        most = gain;
        best = column;
    }
    for (std::uint32_t r = 0; r < rows_; ++r) {
        if (-values_[r] <= most) continue;
        most = -values_[r];
        best = kSurplus + r;
    }
    return best != kNone && pivot(best, kNone);
}

bool ChoiceProgram::enter_of(std::uint32_t choice) {
    std::uint32_t best = kNone;
    double most = worth(key_[choice]) + least_gain_;
    for (const std::uint32_t column : of_choice_[choice]) {
        const double own = worth(column);
        if (own <= most) continue;
        most = own;
        best = column;
    }
    return best != kNone && pivot(best, choice);
}

void ChoiceProgram::add_to_direction(std::uint32_t column, double times) {
    if (column >= kSurplus) {
        for (std::size_t i = 0; i < rows_; ++i)
            direction_[i] -= times * inverse_[i * rows_ + column - kSurplus];
        return;
    }
    const std::size_t begin = columns_[column].begin;
    const std::size_t end = columns_[column].end;
    for (std::size_t i = 0; i < rows_; ++i) {
        const double* row = &inverse_[i * rows_];
        double sum = 0;
        for (std::size_t e = begin; e < end; ++e) sum += entries_[e].second * row[entries_[e].first];
        direction_[i] += times * sum;
    }
}

// What the keys lose for one of the entering column, which is of `choice`.
void ChoiceProgram::sum_key_rates(std::uint32_t choice) {
    for (const std::uint32_t one : touched_) key_rates_[one] = 0;
    touched_.clear();
    if (choice != kNone) {
        touched_.push_back(choice);
        key_rates_[choice] = 1;
    }
    for (std::size_t i = 0; i < rows_; ++i) {
        if (basis_choice_[i] == kNone) continue;
        touched_.push_back(basis_choice_[i]);
        key_rates_[basis_choice_[i]] -= direction_[i];
    }
}

bool ChoiceProgram::pivot(std::uint32_t entering, std::uint32_t choice) {
    std::fill(direction_.begin(), direction_.end(), 0.0);
    add_to_direction(entering, 1);
    if (choice != kNone) add_to_direction(key_[choice], -1);
    sum_key_rates(choice);

    std::size_t leaving = rows_;
    std::uint32_t leaving_key = kNone;
    double least = std::numeric_limits<double>::infinity();
    double by = 0;
    // Of equal ratios the larger pivot, which loses fewer digits.
    const auto is_less = [&](double amount, double rate) {
        if (rate <= kLeastPivot) return false;
        const double ratio = std::max(0.0, amount) / rate;
        if (ratio > least || (ratio == least && rate <= by)) return false;
        least = ratio;
        by = rate;
        return true;
    };
    for (std::size_t i = 0; i < rows_; ++i) {
        if (is_less(amounts_[i], direction_[i])) leaving = i;
    }
    for (const std::uint32_t one : touched_) {
        if (is_less(key_amounts_[one], key_rates_[one])) leaving_key = one;
    }
    if (leaving == rows_ && leaving_key == kNone) return false;

    for (std::size_t i = 0; i < rows_; ++i) amounts_[i] -= direction_[i] * least;
    for (const std::uint32_t one : touched_) {
        key_amounts_[one] -= key_rates_[one] * least;
        key_rates_[one] = 0;
    }
    if (leaving_key == kNone) {
        replace(leaving, entering, choice, least);
        return true;
    }
    const auto other = std::find(basis_choice_.begin(), basis_choice_.end(), leaving_key);
    if (other == basis_choice_.end()) {
        // The only one of its choice, so it is its choice that enters.
        key_[choice] = entering;
        key_amounts_[choice] = least;
        return true;
    }
    const auto at = static_cast<std::size_t>(other - basis_choice_.begin());
    replace_key(leaving_key, at);
    direction_[at] = by;
    replace(at, entering, choice, least);
    return true;
}

// The column at `by` becomes the key of its choice, and the key takes its row.
void ChoiceProgram::replace_key(std::uint32_t choice, std::size_t by) {
    double* row = &inverse_[by * rows_];
    for (std::size_t r = 0; r < rows_; ++r) row[r] = -row[r];
    for (std::size_t i = 0; i < rows_; ++i) {
        if (i == by || basis_choice_[i] != choice) continue;
        const double* other = &inverse_[i * rows_];
        for (std::size_t r = 0; r < rows_; ++r) row[r] -= other[r];
    }
    key_amounts_[choice] = amounts_[by];
    std::swap(key_[choice], basis_[by]);
}

void ChoiceProgram::replace(std::size_t leaving, std::uint32_t entering, std::uint32_t choice,
                            double amount) {
    double* pivot_row = &inverse_[leaving * rows_];
    for (std::size_t r = 0; r < rows_; ++r) pivot_row[r] /= direction_[leaving];
    for (std::size_t i = 0; i < rows_; ++i) {
        if (i != leaving && direction_[i] != 0)
            subtract(&inverse_[i * rows_], pivot_row, rows_, direction_[i]);
    }
    amounts_[leaving] = amount;
    basis_[leaving] = entering;
    basis_choice_[leaving] = choice;
    value_rows();
}

double ChoiceProgram::cost() const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_; ++i) sum += price(basis_[i]) * amounts_[i];
    return sum;
}

std::vector<std::pair<ChoiceProgram::Entries, double>> ChoiceProgram::chosen(std::uint32_t choice) const {
    std::vector<std::pair<Entries, double>> out;
    const auto put = [&](std::uint32_t column, double amount) {
        if (amount <= kLeastAmount) return;
        const Column& own = columns_[column];
        out.emplace_back(Entries(entries_.begin() + static_cast<std::ptrdiff_t>(own.begin),
                                 entries_.begin() + static_cast<std::ptrdiff_t>(own.end)),
                         amount);
    };
    put(key_[choice], key_amounts_[choice]);
    for (std::size_t i = 0; i < rows_; ++i) {
        if (basis_choice_[i] == choice) put(basis_[i], amounts_[i]);
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    return out;
}

}  // namespace joiner::plan
