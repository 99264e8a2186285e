#include "base/time.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>

namespace joiner {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},
                           {"us", 1'000},
                           {"\xc2\xb5s", 1'000},
                           {"ms", 1'000'000},
                           {"s", 1'000'000'000},
                           {"m", 60'000'000'000},
                           {"h", 3'600'000'000'000}};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::optional<int> read_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool eat(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

struct Calendar {
    int year, month, day, hour, minute, second;
    std::int64_t nanosecond;
};

Calendar to_calendar(WallTime t) {
    const auto day = std::chrono::floor<days>(t);
    const std::chrono::year_month_day ymd{day};
    const std::chrono::hh_mm_ss<Duration> time{t - day};
    return {static_cast<int>(ymd.year()),
            static_cast<int>(static_cast<unsigned>(ymd.month())),
            static_cast<int>(static_cast<unsigned>(ymd.day())),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            time.subseconds().count()};
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
    const auto bad = [whole = std::string(text)] {
        return invalid(
            fmt::format("duration \"{}\" is not a list of numbers with units such as 1h30m or 250ms", whole));
    };
    std::string_view rest = text;
    const bool negative = eat(rest, '-');
    if (!negative) eat(rest, '+');
    if (rest == "0") return Duration{0};
    if (rest.empty()) return bad();
    __int128 total = 0;
    constexpr __int128 kLimit = std::numeric_limits<std::int64_t>::max();
    while (!rest.empty()) {
        __int128 whole = 0;
        __int128 fraction = 0;
        __int128 fraction_scale = 1;
        bool any = false;
        while (!rest.empty() && is_digit(rest.front())) {
            whole = whole * 10 + (rest.front() - '0');
            if (whole > kLimit) return bad();
            rest.remove_prefix(1);
            any = true;
        }
        if (eat(rest, '.')) {
            while (!rest.empty() && is_digit(rest.front())) {
                if (fraction_scale < 1'000'000'000'000) {
                    fraction = fraction * 10 + (rest.front() - '0');
                    fraction_scale *= 10;
                }
                rest.remove_prefix(1);
                any = true;
            }
        }
        if (!any) return bad();
        std::size_t length = 0;
        while (length < rest.size() && !is_digit(rest[length]) && rest[length] != '.') ++length;
        const std::string_view name = rest.substr(0, length);
        std::int64_t scale = 0;
        for (const Unit& unit : kUnits) {
            if (unit.name == name) scale = unit.nanoseconds;
        }
        if (scale == 0) return bad();
        rest.remove_prefix(length);
        total += whole * scale + fraction * scale / fraction_scale;
        if (total > kLimit) return bad();
    }
    const auto nanoseconds = static_cast<std::int64_t>(total);
    return Duration{negative ? -nanoseconds : nanoseconds};
}

std::string format_duration(Duration d) {
    if (d.count() == 0) return "0s";
    std::string out;
    // Unsigned, so that the most negative value has a magnitude too.
    std::uint64_t rest = static_cast<std::uint64_t>(d.count());
    if (d.count() < 0) {
        out = "-";
        rest = 0 - rest;
    }
    if (rest < 1'000) return out + fmt::format("{}ns", rest);
    const auto with_fraction = [](std::uint64_t value, std::uint64_t unit) {
        std::string text = fmt::format("{}", value / unit);
        std::uint64_t fraction = value % unit;
        if (fraction == 0) return text;
        text += '.';
        for (std::uint64_t place = unit / 10; fraction != 0; place /= 10) {
            text += static_cast<char>('0' + fraction / place);
            fraction %= place;
        }
        return text;
    };
    if (rest < 1'000'000) return out + with_fraction(rest, 1'000) + "\xc2\xb5s";
    if (rest < 1'000'000'000) return out + with_fraction(rest, 1'000'000) + "ms";
    const std::uint64_t hours = rest / 3'600'000'000'000ULL;
    rest %= 3'600'000'000'000ULL;
    const std::uint64_t minutes = rest / 60'000'000'000ULL;
    rest %= 60'000'000'000ULL;
    if (hours > 0) out += fmt::format("{}h", hours);
    if (hours > 0 || minutes > 0) out += fmt::format("{}m", minutes);
    return out + with_fraction(rest, 1'000'000'000) + "s";
}

Result<WallTime> parse_rfc3339(std::string_view text) {
    const auto bad = [whole = std::string(text)] {
        return invalid(fmt::format("time \"{}\" is not of the form 2026-01-31T12:00:00Z", whole));
    };
    std::string_view rest = text;
    const auto year = read_digits(rest, 4);
    if (!year || !eat(rest, '-')) return bad();
    const auto month = read_digits(rest, 2);
    if (!month || !eat(rest, '-')) return bad();
    const auto day = read_digits(rest, 2);
    if (!day || (!eat(rest, 'T') && !eat(rest, 't'))) return bad();
    const auto hour = read_digits(rest, 2);
    if (!hour || !eat(rest, ':')) return bad();
    const auto minute = read_digits(rest, 2);
    if (!minute || !eat(rest, ':')) return bad();
    const auto second = read_digits(rest, 2);
    if (!second) return bad();
    std::int64_t nanoseconds = 0;
    if (eat(rest, '.')) {
        std::int64_t place = 100'000'000;
        if (rest.empty() || !is_digit(rest.front())) return bad();
        while (!rest.empty() && is_digit(rest.front())) {
            nanoseconds += (rest.front() - '0') * place;
            place /= 10;
            rest.remove_prefix(1);
        }
    }
    int offset_minutes = 0;
    if (!eat(rest, 'Z') && !eat(rest, 'z')) {
        const bool east = eat(rest, '+');
        if (!east && !eat(rest, '-')) return bad();
        const auto offset_hour = read_digits(rest, 2);
        if (!offset_hour || !eat(rest, ':')) return bad();
        const auto offset_minute = read_digits(rest, 2);
        if (!offset_minute || *offset_hour > 23 || *offset_minute > 59) return bad();
        offset_minutes = (*offset_hour * 60 + *offset_minute) * (east ? 1 : -1);
    }
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    // Nanoseconds since 1970 end in the year 2262.
    if (!rest.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return bad();
    if (*year < 1 || *year > 2261) return bad();
    // Go's zero time is the year 1, which nanoseconds since 1970 cannot hold; it means "no time".
    if (*year < 1678) return kNoTime;
    return WallTime{sys_days{date}} + std::chrono::hours{*hour} +
           std::chrono::minutes{*minute - offset_minutes} + std::chrono::seconds{*second} +
           Duration{nanoseconds};
}

std::string format_rfc3339(WallTime t) {
    const Calendar c = to_calendar(t);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second);
}

std::string format_rfc3339_micro(WallTime t) {
    const Calendar c = to_calendar(t);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", c.year, c.month, c.day, c.hour, c.minute,
                       c.second, c.nanosecond / 1'000);
}

}  // namespace joiner
