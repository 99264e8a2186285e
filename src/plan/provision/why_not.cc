#include "plan/provision/why_not.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "plan/provision/machine.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {
namespace {

// Of the types that hold the pod, the one that oversteps the limits least. REQUIRES: each does.
Reason over_limits(const Problem& problem, const std::vector<double>& remaining, model::PoolIndex pool,
                   const std::vector<std::size_t>& holders) {
    const PoolOptions& options = problem.pools()[pool];
    const auto& limits = problem.snapshot().pools[pool].remaining;
    Reason out{.rule = Rule::kLimits};
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t t : holders) {
        const double* const counts = &options.capacity[t * limits.size()];
        std::size_t worst = 0;
        double excess = 0;
        for (std::size_t i = 0; i < limits.size(); ++i) {
            if (counts[i] <= remaining[i]) continue;
            const double part = (counts[i] - std::max(0.0, remaining[i])) / counts[i];
            if (part <= excess) continue;
            excess = part;
            worst = i;
        }
        if (excess >= least) continue;
        least = excess;
        const std::string& name = limits[worst].first;
        const auto text = [&](double amount) {
            return rules::amount_text(name, static_cast<std::int64_t>(amount));
        };
        out.detail = fmt::format(
            "its limits leave no room for another node: {} of {}, and the nearest type, {}, counts {}",
            text(std::max(0.0, remaining[worst])), name, problem.type(pool, options.types[t]).name,
            text(counts[worst]));
        out.amounts = {{"left", static_cast<std::int64_t>(std::max(0.0, remaining[worst]))},
                       {"counted", static_cast<std::int64_t>(counts[worst])}};
    }
    return out;
}

// Some type would do, and the limits let it be bought. What pods ask of one another is told elsewhere.
Reason no_reason_but_min_values(const Problem& problem, model::PoolIndex pool) {
    if (has_min_values(problem, pool)) return {.rule = Rule::kMinValues};
    return {.rule = Rule::kOtherPods, .detail = "other pods of this plan leave no place for it"};
}

Reason why_not_on(const Problem& problem, const Limits& limits, const PodClass& pod_class,
                  model::PoolIndex pool) {
    const PoolOptions& options = problem.pools()[pool];
    const Group& group = problem.groups()[pod_class.group];
    const std::size_t n = problem.dimensions();
    const Match* match = &group.matches.back()[pool];
    for (const auto& row : group.matches) {
        if (row[pool].possible) match = &row[pool];
    }
    if (!match->possible) return {.rule = match->rule, .detail = match->detail};
    const auto may_stand = [&](std::size_t t) {
        return match->masks[t] != 0 || (!match->beyond_limits.empty() && match->beyond_limits[t] != 0);
    };
    std::size_t nearest = options.types.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        if (!may_stand(t)) continue;
        double lack = 0;
        for (std::size_t d = 0; d < n; ++d) {
            const double asked = pod_class.request[d];
            if (asked > 0) lack += std::max(0.0, asked - std::max(0.0, options.room[t * n + d])) / asked;
        }
        if (lack < least) {
            least = lack;
            nearest = t;
        }
    }
    CHECK(nearest < options.types.size());
    const rules::InstanceType& type = problem.type(pool, options.types[nearest]);
    const std::string lack =
        rules::shortage(pod_class.shape->requests, type.allocatable() - options.types[nearest].daemons);
    if (!lack.empty()) {
        return {.rule = Rule::kShortage,
                .detail = fmt::format("the nearest type, {}, is short of {}", type.name, lack)};
    }
    for (std::size_t d = 0; d < n; ++d) {
        const double has = options.room[nearest * n + d];
        if (pod_class.request[d] > 0 && pod_class.request[d] > has) {
            return {
                .rule = Rule::kShortage,
                .detail = fmt::format("the nearest type, {}, is short of {}: {} asked, {} taken by one node",
                                      type.name, problem.dimension_names()[d], pod_class.request[d], has)};
        }
    }
    std::vector<std::size_t> holders;
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        if (!may_stand(t) || !holds(&options.room[t * n], pod_class.request)) continue;
        if (match->masks[t] != 0 && limits.allow(pool, t)) return no_reason_but_min_values(problem, pool);
        holders.push_back(t);
    }
    return over_limits(problem, limits.left(pool), pool, holders);
}

}  // namespace

Reasons why_not(const Problem& problem, const Limits& limits, std::uint32_t pod_class) {
    const std::vector<model::PoolView>& pools = problem.snapshot().pools;
    if (pools.empty()) return {{.rule = Rule::kNoNodePool}};
    Reasons out;
    for (model::PoolIndex pool = 0; pool < pools.size(); ++pool) {
        // What a pool may have of a reservation is a part of it, and the rest speaks for all.
        if (pool > 0 && pools[pool].name == pools[pool - 1].name) continue;
        out.push_back(why_not_on(problem, limits, problem.classes()[pod_class], pool));
        out.back().object = "NodePool " + pools[pool].name;
    }
    return out;
}

}  // namespace joiner::plan
