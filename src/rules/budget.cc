#include "rules/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "rules/cron.h"

namespace joiner::rules {
namespace {

struct Amount {
    std::int64_t value;
    bool is_percent;
};

Result<Amount> parse_amount(std::string_view text) {
    const auto bad = [text] {
        return invalid(
            fmt::format("budget nodes \"{}\" is neither a whole number nor 0% to 100%", text.substr(0, 40)));
    };
    Amount out{0, text.ends_with('%')};
    const std::string_view digits = out.is_percent ? text.substr(0, text.size() - 1) : text;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.value);
    if (error != std::errc{} || end != digits.data() + digits.size()) return bad();
    if (out.value < 0 || (out.is_percent && out.value > 100)) return bad();
    return out;
}

// nullopt while the budget's window is closed.
Result<std::optional<std::int64_t>> limit_of(const api::Budget& budget, std::int64_t node_count,
                                             WallTime now) {
    TRY(const Amount amount, parse_amount(budget.nodes));
    if (budget.schedule.empty() != !budget.duration.has_value()) {
        return invalid("budget has a schedule without a duration, or the other way round");
    }
    if (!budget.schedule.empty()) {
        TRY(const Cron cron, Cron::parse(budget.schedule));
        if (!cron.is_active(now, *budget.duration)) return std::optional<std::int64_t>{};
    }
    if (!amount.is_percent) return std::optional(amount.value);
    return std::optional((node_count * amount.value + 99) / 100);
}

}  // namespace

std::int64_t allowed_disruptions(const api::NodePool& pool, std::string_view reason, std::int64_t node_count,
                                 WallTime now) {
    std::int64_t allowed = kUnlimited;
    for (const api::Budget& budget : pool.budgets) {
        const bool applies = !budget.has_reasons || std::find(budget.reasons.begin(), budget.reasons.end(),
                                                              reason) != budget.reasons.end();
        if (!applies) continue;
        const auto limit = limit_of(budget, node_count, now);
        if (!limit) return 0;
        if (*limit) allowed = std::min(allowed, **limit);
    }
    return allowed;
}

Status check_budgets(const api::NodePool& pool) {
    for (const api::Budget& budget : pool.budgets) {
        TRY_STATUS(limit_of(budget, 1, WallTime{} + std::chrono::years{30}));
    }
    return {};
}

}  // namespace joiner::rules
