// Prices as integers: nano-dollars per hour. Sums are exact and ties are ties. A value type; any thread.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>

namespace joiner::rules {

struct Money {
    std::int64_t nanos = 0;

    static Money from_dollars(double dollars) {
        return {static_cast<std::int64_t>(std::llround(dollars * 1e9))};
    }
    double dollars() const { return static_cast<double>(nanos) / 1e9; }

    Money& operator+=(Money other) {
        nanos += other.nanos;
        return *this;
    }
    Money& operator-=(Money other) {
        nanos -= other.nanos;
        return *this;
    }
    friend Money operator+(Money a, Money b) { return a += b; }
    friend Money operator-(Money a, Money b) { return a -= b; }
    friend auto operator<=>(const Money&, const Money&) = default;
};

}  // namespace joiner::rules
