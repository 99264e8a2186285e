// How many nodes of a pool may be disrupted at once. Pure; any thread. Source: core behaviour of Karpenter
// budgets.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"

namespace joiner::rules {

inline constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

// The smallest of the active budgets that name `reason` or no reason; percentages of `node_count` round up. A
// budget that cannot be read allows nothing.
std::int64_t allowed_disruptions(const api::NodePool& pool, std::string_view reason, std::int64_t node_count,
                                 WallTime now);

struct BudgetChange {
    WallTime at;
    std::int64_t allowed = 0;  // From then on.
};
// When schedules next change what allowed_disruptions() says, nodes staying as they are; nullopt: never, or
// not within the next windows that are looked at.
std::optional<BudgetChange> next_budget_change(const api::NodePool& pool, std::string_view reason,
                                               std::int64_t node_count, WallTime now);

// The first budget of the pool that cannot be read.
Status check_budgets(const api::NodePool& pool);

}  // namespace joiner::rules
