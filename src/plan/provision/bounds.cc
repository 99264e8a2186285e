#include "plan/provision/bounds.h"

#include <algorithm>
#include <cmath>

namespace joiner::plan {
namespace {

// The offerings of every type of a pool that some of the placed pods may stand on, by any of their
// alternatives.
std::vector<OfferingMask> wanted_offerings(const Problem& problem, const std::vector<bool>& is_placed,
                                           model::PoolIndex pool) {
    std::vector<OfferingMask> out(problem.pools()[pool].types.size(), 0);
    for (std::size_t g = 0; g < problem.groups().size(); ++g) {
        if (!is_placed[g]) continue;
        for (const std::vector<Match>& row : problem.groups()[g].matches) {
            if (!row[pool].possible) continue;
            for (std::size_t t = 0; t < out.size(); ++t) out[t] |= row[pool].masks[t];
        }
    }
    return out;
}

}  // namespace

ResourceColumns make_columns(const Problem& problem, const std::vector<std::uint32_t>& placed) {
    std::vector<bool> is_placed(problem.groups().size(), false);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        if (placed[c] > 0) is_placed[problem.classes()[c].group] = true;
    }
    ResourceColumns columns;
    columns.dimensions = problem.dimensions();
    for (model::PoolIndex pool = 0; pool < problem.pools().size(); ++pool) {
        const PoolOptions& options = problem.pools()[pool];
        const std::vector<OfferingMask> wanted = wanted_offerings(problem, is_placed, pool);
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            if (wanted[t] == 0) continue;
            const rules::Money price =
                problem.offering(pool, options.types[t], Problem::cheapest(options.types[t], wanted[t]))
                    .price +
                problem.snapshot().pools[pool].node_cost;
            columns.prices.push_back(static_cast<double>(price.nanos));
            for (std::size_t d = 0; d < columns.dimensions; ++d)
                columns.capacities.push_back(std::max(0.0, options.room[t * columns.dimensions + d]));
        }
    }
    return columns;
}

rules::Money lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed) {
    std::vector<double> demand(problem.dimensions(), 0);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        for (std::size_t d = 0; d < demand.size(); ++d)
            demand[d] += placed[c] * problem.classes()[c].request[d];
    }
    for (const model::RoomView& room : problem.snapshot().rooms) {
        const std::vector<double> free = problem.dense(room.free);
        for (std::size_t d = 0; d < demand.size(); ++d) demand[d] -= std::max(0.0, free[d]);
    }
    const double cost = resource_bound(make_columns(problem, placed), demand).cost;
    return {static_cast<std::int64_t>(std::floor(cost * (1 - 1e-12)))};
}

}  // namespace joiner::plan
