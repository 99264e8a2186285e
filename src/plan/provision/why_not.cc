#include "plan/provision/why_not.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "plan/provision/tiers.h"

namespace joiner::plan {
namespace {

// Of the types that hold the pod, the one that oversteps the limits least. REQUIRES: each does.
std::string over_limits(const Problem& problem, const std::vector<double>& remaining, model::PoolIndex pool,
                        const std::vector<std::size_t>& holders) {
    const PoolOptions& options = problem.pools()[pool];
    const auto& limits = problem.snapshot().pools[pool].remaining;
    std::string out;
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t t : holders) {
        const double* const counts = &options.capacity[t * limits.size()];
        std::size_t worst = 0;
        double excess = 0;
        for (std::size_t i = 0; i < limits.size(); ++i) {
            if (counts[i] <= remaining[i] || (counts[i] - remaining[i]) / counts[i] <= excess) continue;
            excess = (counts[i] - remaining[i]) / counts[i];
            worst = i;
        }
        if (excess >= least) continue;
        least = excess;
        const std::string& name = limits[worst].first;
        const auto text = [&](double amount) {
            return rules::amount_text(name, static_cast<std::int64_t>(amount));
        };
        out = fmt::format(
            "its limits leave no room for another node: {} of {}, and the nearest type, {}, counts {}",
            text(std::max(0.0, remaining[worst])), name, problem.type(pool, options.types[t]).name,
            text(counts[worst]));
    }
    return out;
}

std::string why_not_on(const Problem& problem, const std::vector<double>& remaining,
                       const PodClass& pod_class, model::PoolIndex pool) {
    const PoolOptions& options = problem.pools()[pool];
    const Group& group = problem.groups()[pod_class.group];
    const std::size_t n = problem.dimensions();
    const Match* match = &group.matches.back()[pool];
    for (const auto& row : group.matches) {
        if (row[pool].possible) match = &row[pool];
    }
    if (!match->possible) return match->reason;
    std::size_t nearest = options.types.size();
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        if (match->masks[t] == 0) continue;
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
    const rules::InstanceType& type = problem.type(pool, options.types[nearest]);
    const std::string lack =
        rules::shortage(pod_class.shape->requests, type.allocatable() - options.types[nearest].daemons);
    if (!lack.empty()) return fmt::format("the nearest type, {}, is short of {}", type.name, lack);
    std::vector<std::size_t> holders;
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        if (match->masks[t] == 0 || !holds(&options.room[t * n], pod_class.request)) continue;
        if (is_within_limits(options, remaining, t, 1))
            return "its minValues cannot be met by the types that hold the pod";
        holders.push_back(t);
    }
    return over_limits(problem, remaining, pool, holders);
}

}  // namespace

bool is_within_limits(const PoolOptions& pool, const std::vector<double>& remaining, std::size_t option,
                      double times) {
    for (std::size_t i = 0; i < remaining.size(); ++i) {
        if (pool.capacity[option * remaining.size() + i] * times > remaining[i]) return false;
    }
    return true;
}

std::string why_not(const Problem& problem, const std::vector<std::vector<double>>& remaining,
                    std::uint32_t pod_class) {
    const std::vector<model::PoolView>& pools = problem.snapshot().pools;
    if (pools.empty()) return "there is no NodePool that is ready";
    std::string out;
    for (model::PoolIndex pool = 0; pool < pools.size(); ++pool) {
        // What a pool may have of a reservation is a part of it, and the rest speaks for all.
        if (pool > 0 && pools[pool].name == pools[pool - 1].name) continue;
        if (!out.empty()) out += "; ";
        out += fmt::format("NodePool {}: {}", pools[pool].name,
                           why_not_on(problem, remaining[pool], problem.classes()[pod_class], pool));
    }
    return out;
}

}  // namespace joiner::plan
