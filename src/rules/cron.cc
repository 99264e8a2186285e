#include "rules/cron.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

namespace joiner::rules {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::months;

struct Field {
    std::string_view name;
    int low;
    int high;
    std::string_view words;  // Three letters each, the first stands for `low`.
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, ""},
                                           {"hour", 0, 23, ""},
                                           {"day of month", 1, 31, ""},
                                           {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                           {"day of week", 0, 6, "sunmontuewedthufrisat"}}};

constexpr std::pair<std::string_view, std::string_view> kMacros[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"},
};

std::optional<int> read_number(std::string_view text, const Field& field) {
    if (text.empty()) return std::nullopt;
    for (std::size_t i = 0; text.size() == 3 && i + 3 <= field.words.size(); i += 3) {
        bool same = true;
        for (std::size_t k = 0; k < 3; ++k) same &= (text[k] | 0x20) == field.words[i + k];
        if (same) return field.low + static_cast<int>(i / 3);
    }
    int value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9' || value > 10'000) return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

// What one comma-separated part stands for: "*", "3", "3-7", "*/5", "10-40/10".
struct Range {
    std::uint64_t bits = 0;
    bool is_any = false;  // It leaves the field open; "*/5" does not.
};

std::optional<Range> read_range(std::string_view text, const Field& field) {
    int step = 1;
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto number = read_number(text.substr(slash + 1), Field{"", 0, 0, ""});
        if (!number || *number < 1) return std::nullopt;
        step = *number;
        text = text.substr(0, slash);
    }
    int low = field.low;
    int high = field.high;
    const bool is_star = text == "*" || text == "?";
    if (!is_star) {
        const std::size_t dash = text.find('-');
        const auto first = read_number(text.substr(0, dash), field);
        if (!first) return std::nullopt;
        low = *first;
        high = low;
        if (dash != std::string_view::npos) {
            const auto last = read_number(text.substr(dash + 1), field);
            if (!last) return std::nullopt;
            high = *last;
        } else if (slash != std::string_view::npos) {
            high = field.high;
        }
    }
    if (low < field.low || high > field.high || low > high) return std::nullopt;
    Range out;
    out.is_any = is_star && step == 1;
    for (int value = low; value <= high; value += step) out.bits |= 1ULL << value;
    return out;
}

bool has(std::uint64_t bits, unsigned i) {
    return (bits >> i) & 1;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
    std::string_view expanded = text;
    for (const auto& [macro, meaning] : kMacros) {
        if (text == macro) expanded = meaning;
    }
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at < expanded.size();) {
        const std::size_t start = expanded.find_first_not_of(" \t", at);
        if (start == std::string_view::npos) break;
        at = std::min(expanded.find_first_of(" \t", start), expanded.size());
        parts.push_back(expanded.substr(start, at - start));
    }
    if (parts.size() != kFields.size()) {
        return invalid(
            fmt::format("schedule \"{}\" has {} fields where cron has five (or a macro such as @daily)",
                        text.substr(0, 80), parts.size()));
    }
    Cron cron;
    std::uint64_t* const targets[] = {&cron.minutes_, &cron.hours_, &cron.days_, &cron.months_,
                                      &cron.weekdays_};
    std::array<bool, kFields.size()> is_any{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto refused = [&] {
            return invalid(fmt::format("schedule \"{}\": {} \"{}\" is not within {} to {}",
                                       text.substr(0, 80), kFields[i].name, parts[i].substr(0, 40),
                                       kFields[i].low, kFields[i].high));
        };
        std::string_view rest = parts[i];
        while (!rest.empty()) {
            const std::string_view part = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(part.size() + 1, rest.size()));
            if (part.empty()) continue;  // robfig/cron reads "1,,2" as "1,2".
            const auto range = read_range(part, kFields[i]);
            if (!range) return refused();
            *targets[i] |= range->bits;
            is_any[i] |= range->is_any;
        }
        if (*targets[i] == 0) return refused();
    }
    cron.any_day_ = is_any[2];
    cron.any_weekday_ = is_any[4];
    return cron;
}

std::optional<WallTime> Cron::next(WallTime after) const {
    using namespace std::chrono;
    auto t = floor<minutes>(after) + minutes{1};
    const auto limit = t + days{5 * 366};
    while (t < limit) {
        const auto day = floor<days>(t);
        const year_month_day date{day};
        if (!has(months_, static_cast<unsigned>(date.month()))) {
            t = sys_days{(date.year() / date.month() + months{1}) / 1};
            continue;
        }
        const bool day_ok = has(days_, static_cast<unsigned>(date.day()));
        const bool weekday_ok = has(weekdays_, weekday{day}.c_encoding());
        const bool match = any_day_ || any_weekday_ ? day_ok && weekday_ok : day_ok || weekday_ok;
        if (!match) {
            t = day + days{1};
            continue;
        }
        const hh_mm_ss time{t - day};
        if (!has(hours_, static_cast<unsigned>(time.hours().count()))) {
            t = day + time.hours() + hours{1};
            continue;
        }
        if (!has(minutes_, static_cast<unsigned>(time.minutes().count()))) {
            t += minutes{1};
            continue;
        }
        return WallTime{t};
    }
    return std::nullopt;
}

bool Cron::is_active(WallTime now, Duration duration) const {
    const auto hit = next(now - duration);
    return hit && *hit <= now;
}

}  // namespace joiner::rules
