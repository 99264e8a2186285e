#include "base/quantity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace joiner {
namespace {

constexpr __int128 kNano = 1'000'000'000;
// 1e27 units, the bound of what is kept.
constexpr __int128 kMaxNanos = static_cast<__int128>(1'000'000'000'000'000'000) * kNano * kNano;

struct Suffix {
    std::string_view text;
    int exponent;  // Of ten, or of two for the binary ones.
};
constexpr std::array<Suffix, 10> kDecimal = {{{"n", -9},
                                              {"u", -6},
                                              {"m", -3},
                                              {"", 0},
                                              {"k", 3},
                                              {"M", 6},
                                              {"G", 9},
                                              {"T", 12},
                                              {"P", 15},
                                              {"E", 18}}};
constexpr std::array<Suffix, 6> kBinary = {
    {{"Ki", 10}, {"Mi", 20}, {"Gi", 30}, {"Ti", 40}, {"Pi", 50}, {"Ei", 60}}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

constexpr __int128 power_of_ten(int exponent) {
    __int128 value = 1;
    for (int i = 0; i < exponent; ++i) value *= 10;
    return value;
}

// The digits of a number with one decimal point, before any suffix.
struct Number {
    __int128 digits = 0;
    int decimals = 0;
    bool inexact = false;  // Non-zero digits were left out on the right.
    bool huge = false;     // Digits were left out on the left.
};

std::string format_int128(__int128 value) {
    if (value == 0) return "0";
    std::string out;
    const bool negative = value < 0;
    if (negative) value = -value;
    for (; value != 0; value /= 10) out.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    if (negative) out.push_back('-');
    std::reverse(out.begin(), out.end());
    return out;
}

}  // namespace

Quantity Quantity::of_units(std::int64_t units, Format format) {
    Quantity q;
    q.nanos_ = static_cast<__int128>(units) * kNano;
    q.format_ = format;
    return q;
}

Quantity Quantity::of_milli(std::int64_t milli, Format format) {
    Quantity q;
    q.nanos_ = static_cast<__int128>(milli) * 1'000'000;
    q.format_ = format;
    return q;
}

Result<Quantity> Quantity::parse(std::string_view text) {
    const auto bad = [text] {
        return invalid(
            fmt::format("quantity \"{}\" is not a number with an optional suffix such as m, k, M, G, "
                        "Ki, Mi or Gi",
                        text.substr(0, 80)));
    };
    std::string_view rest = text;
    bool negative = false;
    if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
        negative = rest.front() == '-';
        rest.remove_prefix(1);
    }
    Number number;
    bool any_digit = false;
    bool after_point = false;
    constexpr __int128 kDigitsLimit = power_of_ten(36);  // As many as the largest prints.
    while (!rest.empty() && (is_digit(rest.front()) || (rest.front() == '.' && !after_point))) {
        const char c = rest.front();
        rest.remove_prefix(1);
        if (c == '.') {
            after_point = true;
            continue;
        }
        any_digit = true;
        if (number.digits < kDigitsLimit) {
            number.digits = number.digits * 10 + (c - '0');
            if (after_point) ++number.decimals;
        } else if (after_point) {
            number.inexact |= c != '0';
        } else {
            number.huge = true;
        }
    }
    if (!any_digit) return bad();

    Quantity q;
    int ten = 0;
    int two = 0;
    const auto decimal =
        std::find_if(kDecimal.begin(), kDecimal.end(), [&](const Suffix& s) { return s.text == rest; });
    const auto binary =
        std::find_if(kBinary.begin(), kBinary.end(), [&](const Suffix& s) { return s.text == rest; });
    if (decimal != kDecimal.end()) {
        ten = decimal->exponent;
        q.format_ = Format::kDecimalSI;
    } else if (binary != kBinary.end()) {
        two = binary->exponent;
        q.format_ = Format::kBinarySI;
    } else if (rest.size() >= 2 && (rest.front() == 'e' || rest.front() == 'E')) {
        rest.remove_prefix(1);
        const bool negative_exponent = rest.front() == '-';
        if (rest.front() == '-' || rest.front() == '+') rest.remove_prefix(1);
        if (rest.empty()) return bad();
        for (const char c : rest) {
            if (!is_digit(c)) return bad();
            ten = std::min(ten * 10 + (c - '0'), 1'000);
        }
        if (negative_exponent) ten = -ten;
        q.format_ = Format::kDecimalExponent;
    } else {
        return bad();
    }

    // digits * 10^ten * 2^two / 10^decimals in nano-units, rounded away from zero.
    const int shift = ten + 9 - number.decimals;
    __int128 nanos = number.digits;
    bool overflow = number.huge;
    for (int i = 0; i < shift && nanos != 0 && !overflow; ++i) {
        nanos *= 10;
        overflow = nanos > kMaxNanos;
    }
    if (shift < 0 && two == 0) {
        for (int i = 0; i > shift && nanos != 0; --i) {
            number.inexact |= nanos % 10 != 0;
            nanos /= 10;
        }
    }
    if (two > 0 && nanos != 0 && !overflow) {
        // Multiply first where it fits, so that 0.1Gi loses nothing before the division.
        __int128 divisor = shift < 0 ? power_of_ten(std::min(-shift, 36)) : 1;
        int left = two;
        while (left > 0 && nanos < (static_cast<__int128>(1) << 125)) {
            nanos *= 2;
            --left;
        }
        number.inexact |= nanos % divisor != 0;
        nanos /= divisor;
        for (; left > 0 && !overflow; --left) {
            nanos *= 2;
            overflow = nanos > kMaxNanos;
        }
        overflow |= nanos > kMaxNanos;
    }
    if (overflow || nanos > kMaxNanos) {
        nanos = kMaxNanos;
    } else if (number.inexact) {
        nanos += 1;
    }
    q.nanos_ = negative ? -nanos : nanos;
    return q;
}

std::int64_t Quantity::scaled(std::int64_t nanos_per_unit, bool up) const {
    __int128 value = nanos_ / nanos_per_unit;
    const __int128 rest = nanos_ % nanos_per_unit;
    if (up && rest > 0) value += 1;
    if (!up && rest < 0) value -= 1;
    constexpr __int128 kMax = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::clamp(value, -kMax, kMax));
}

std::string Quantity::to_string() const {
    if (nanos_ == 0) return "0";
    if (format_ == Format::kBinarySI && nanos_ % kNano == 0) {
        __int128 units = nanos_ / kNano;
        std::string_view suffix;
        for (const Suffix& s : kBinary) {
            if (units % 1024 != 0) break;
            units /= 1024;
            suffix = s.text;
        }
        return format_int128(units) + std::string(suffix);
    }
    __int128 value = nanos_;
    std::size_t step = 0;
    while (step + 1 < kDecimal.size() && value % 1000 == 0) {
        value /= 1000;
        ++step;
    }
    if (format_ == Format::kDecimalExponent) {
        const int exponent = kDecimal[step].exponent;
        return exponent == 0 ? format_int128(value) : fmt::format("{}e{}", format_int128(value), exponent);
    }
    return format_int128(value) + std::string(kDecimal[step].text);
}

}  // namespace joiner
