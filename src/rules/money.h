// Prices as integers: nano-dollars per hour. Sums are exact and ties are ties; what is more than an integer
// holds stays at the most it holds, some nine billion dollars. A value type; any thread.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>

namespace joiner::rules {

struct Money {
    std::int64_t nanos = 0;

    // What is no number costs the most.
    static Money from_dollars(double dollars) {
        constexpr double kMost = 9.2e9;
        if (dollars < -kMost) return {std::numeric_limits<std::int64_t>::min()};
        if (!(dollars < kMost)) return {std::numeric_limits<std::int64_t>::max()};
        return {static_cast<std::int64_t>(std::llround(dollars * 1e9))};
    }
    double dollars() const { return static_cast<double>(nanos) / 1e9; }

    Money& operator+=(Money other) {
        if (__builtin_add_overflow(nanos, other.nanos, &nanos)) nanos = limit(other.nanos > 0);
        return *this;
    }
    Money& operator-=(Money other) {
        if (__builtin_sub_overflow(nanos, other.nanos, &nanos)) nanos = limit(other.nanos < 0);
        return *this;
    }
    friend Money operator+(Money a, Money b) { return a += b; }
    friend Money operator-(Money a, Money b) { return a -= b; }
    friend auto operator<=>(const Money&, const Money&) = default;

  private:
    static constexpr std::int64_t limit(bool above) {
        return above ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
    }
};

}  // namespace joiner::rules
