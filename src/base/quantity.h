// A Kubernetes quantity ("1500m", "1.5Gi", "2e3"), exact to one nano-unit, and its roundings to the integers
// that planning works with. A value type; any thread. Grammar and suffixes: k8s.io/apimachinery
// resource.Quantity.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner {

class Quantity {
  public:
    // How the quantity was written, and so is printed again.
    enum class Format { kDecimalSI, kBinarySI, kDecimalExponent };

    constexpr Quantity() = default;

    // Errors are kInvalid and quote the text. More than 1e27 or finer than 1e-9 is rounded (away from zero),
    // as upstream caps it.
    static Result<Quantity> parse(std::string_view text);
    static Quantity of_units(std::int64_t units, Format format = Format::kDecimalSI);
    static Quantity of_milli(std::int64_t milli, Format format = Format::kDecimalSI);

    // Requests round up, capacities round down; both stop at the ends of int64.
    std::int64_t milli_up() const { return scaled(1'000'000, true); }
    std::int64_t milli_down() const { return scaled(1'000'000, false); }
    std::int64_t units_up() const { return scaled(1'000'000'000, true); }
    std::int64_t units_down() const { return scaled(1'000'000'000, false); }

    bool is_zero() const { return nanos_ == 0; }
    bool is_negative() const { return nanos_ < 0; }
    double to_double() const { return static_cast<double>(nanos_) / 1e9; }

    // The canonical text: no fraction, the largest suffix that loses nothing.
    std::string to_string() const;

    Quantity& operator+=(const Quantity& other) {
        nanos_ += other.nanos_;
        return *this;
    }
    friend bool operator==(const Quantity& a, const Quantity& b) { return a.nanos_ == b.nanos_; }
    friend std::strong_ordering operator<=>(const Quantity& a, const Quantity& b) {
        return a.nanos_ < b.nanos_   ? std::strong_ordering::less
               : a.nanos_ > b.nanos_ ? std::strong_ordering::greater
                                     : std::strong_ordering::equal;
    }

  private:
    std::int64_t scaled(std::int64_t nanos_per_unit, bool up) const;

    __int128 nanos_ = 0;
    Format format_ = Format::kDecimalSI;
};

}  // namespace joiner
