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

constexpr int kMostWindows = 500;

// The last hit at or before `now`. REQUIRES: there is one within `duration`.
WallTime last_hit(const Cron& cron, WallTime now, Duration duration) {
    Duration back = std::chrono::minutes{2};
    while (back < duration && !cron.is_active(now, back)) back *= 2;
    WallTime out = *cron.next(now - std::min(back, duration));
    for (auto hit = cron.next(out); hit && *hit <= now; hit = cron.next(out)) out = *hit;
    return out;
}

// When the budget's window opens or closes next; nullopt where it has none, or none that can be read.
std::optional<WallTime> next_edge(const api::Budget& budget, WallTime now) {
    if (budget.schedule.empty() || !budget.duration) return std::nullopt;
    const auto cron = Cron::parse(budget.schedule);
    if (!cron) return std::nullopt;
    if (!cron->is_active(now, *budget.duration)) return cron->next(now);
    return last_hit(*cron, now, *budget.duration) + *budget.duration;
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

std::optional<BudgetChange> next_budget_change(const api::NodePool& pool, std::string_view reason,
                                               std::int64_t node_count, WallTime now) {
    const std::int64_t before = allowed_disruptions(pool, reason, node_count, now);
    WallTime at = now;
    for (int i = 0; i < kMostWindows; ++i) {
        std::optional<WallTime> next;
        for (const api::Budget& budget : pool.budgets) {
            if (const auto edge = next_edge(budget, at); edge && (!next || *edge < *next)) next = edge;
        }
        if (!next || *next <= at) return std::nullopt;
        at = *next;
        const std::int64_t allowed = allowed_disruptions(pool, reason, node_count, at);
        if (allowed != before) return BudgetChange{at, allowed};
    }
    return std::nullopt;
}

Status check_budgets(const api::NodePool& pool) {
    for (const api::Budget& budget : pool.budgets) {
        TRY_STATUS(limit_of(budget, 1, WallTime{} + std::chrono::years{30}));
    }
    return {};
}

}  // namespace joiner::rules
