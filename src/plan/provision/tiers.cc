#include "plan/provision/tiers.h"

#include <limits>

namespace joiner::plan {
namespace {

bool some_type_holds(const Problem& problem, const PodClass& pod_class, const Match& match,
                     model::PoolIndex pool) {
    const PoolOptions& options = problem.pools()[pool];
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        if (match.masks[t] != 0 && holds(&options.room[t * problem.dimensions()], pod_class.request))
            return true;
    }
    return false;
}

Tiers tiers_of(const Problem& problem, const PodClass& pod_class) {
    const Group& group = problem.groups()[pod_class.group];
    Tiers tiers;
    for (std::uint32_t a = 0; a < group.alternatives.size(); ++a) {
        int weight = std::numeric_limits<int>::min();
        for (model::PoolIndex pool = 0; pool < problem.pools().size(); ++pool) {
            const Match& match = group.matches[a][pool];
            if (!match.possible || !some_type_holds(problem, pod_class, match, pool)) continue;
            const int own_weight = problem.snapshot().pools[pool].weight;
            if (tiers.empty() || tiers.back().alternative != a || weight != own_weight)
                tiers.push_back({a, {}});
            weight = own_weight;
            tiers.back().pools.push_back(pool);
        }
    }
    return tiers;
}

}  // namespace

bool holds(const double* room, const std::vector<double>& request) {
    for (std::size_t d = 0; d < request.size(); ++d) {
        if (request[d] > 0 && request[d] > room[d]) return false;
    }
    return true;
}

std::vector<Tiers> make_tiers(const Problem& problem) {
    std::vector<Tiers> out;
    out.reserve(problem.classes().size());
    for (const PodClass& pod_class : problem.classes()) out.push_back(tiers_of(problem, pod_class));
    return out;
}

}  // namespace joiner::plan
