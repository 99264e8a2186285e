#include "plan/provision/provision.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/check.h"
#include "plan/provision/fill.h"
#include "plan/provision/problem.h"
#include "plan/provision/reuse.h"

namespace joiner::plan {
namespace {

// Urgent before others, then large before small: what is hard to place comes first.
std::vector<std::uint32_t> placing_order(const Problem& problem) {
    std::vector<std::uint32_t> order(problem.classes().size());
    std::iota(order.begin(), order.end(), 0u);
    const auto rank = [&](std::uint32_t c) {
        const PodClass& pod_class = problem.classes()[c];
        double extended = 0;
        for (std::size_t d = 4; d < pod_class.request.size(); ++d)
            extended += pod_class.request[d] > 0 ? 1 : 0;
        return std::tuple(-pod_class.shape->priority, -extended, -pod_class.request[0], -pod_class.request[1],
                          pod_class.pods.front());
    };
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
    return order;
}

rules::Requirements launch_requirements(const Problem& problem, const Machine& machine) {
    rules::Requirements out = problem.snapshot().pools[machine.pool].requirements;
    for (const auto& [c, alternative] : machine.alternative) {
        out.add_all(*problem.groups()[problem.classes()[c].group].alternatives[alternative]);
    }
    return out;
}

// Widen: all that could stand in for the machine, so that a type sold out costs no new plan. Under limits no
// stand-in may count for more than the machine that was counted.
void widen(const Problem& problem, const ProvisionOptions& options, const Machine& machine,
           MachineSpec& spec) {
    const PoolOptions& pool = problem.pools()[machine.pool];
    const std::size_t limits = problem.snapshot().pools[machine.pool].remaining.size();
    bool first = true;
    rules::Resources daemons;
    for (const auto& [option, mask] : stand_ins(problem, machine)) {
        bool counts_for_more = false;
        for (std::size_t i = 0; i < limits; ++i) {
            counts_for_more |=
                pool.capacity[option * limits + i] > pool.capacity[machine.option * limits + i];
        }
        if (counts_for_more) continue;
        if (spec.types.size() >= options.max_types) break;
        if (first) {
            daemons = pool.types[option].daemons;
        } else {
            daemons.min_with(pool.types[option].daemons);
        }
        first = false;
        spec.types.push_back(problem.type(machine.pool, pool.types[option]).name);
    }
    CHECK(!spec.types.empty());
    spec.requests += daemons;
}

}  // namespace

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    const Problem problem(snapshot);
    Plan plan;
    for (const auto& [pod, reason] : problem.rejected()) plan.waits.push_back({pod, reason});

    const std::vector<std::uint32_t> order = placing_order(problem);
    std::vector<std::vector<model::PodIndex>> left;
    for (const PodClass& pod_class : problem.classes()) left.push_back(pod_class.pods);
    reuse_rooms(problem, order, left, plan.placements);

    std::vector<std::uint32_t> counts;
    for (const auto& pods : left) counts.push_back(static_cast<std::uint32_t>(pods.size()));
    const FillResult filled = fill_machines(problem, options, order, counts);

    std::vector<std::size_t> next(left.size(), 0);
    for (const Machine& machine : filled.machines) {
        const PoolOptions& pool = problem.pools()[machine.pool];
        const rules::Offering& offering =
            problem.offering(machine.pool, pool.types[machine.option],
                             Problem::cheapest(pool.types[machine.option], machine.offerings));
        MachineSpec pattern;
        pattern.pool = machine.pool;
        pattern.zone = offering.zone();
        pattern.capacity_type = offering.capacity_type();
        pattern.price = offering.price;
        pattern.requirements = launch_requirements(problem, machine);
        pattern.min_values_relaxed = machine.min_values_relaxed;
        for (const auto& [c, count] : machine.take) {
            for (std::uint32_t i = 0; i < count; ++i)
                pattern.requests += problem.classes()[c].shape->requests;
        }
        widen(problem, options, machine, pattern);
        const auto spec = std::make_shared<const MachineSpec>(std::move(pattern));
        for (std::uint32_t i = 0; i < machine.times; ++i) {
            Launch launch{spec, {}};
            for (const auto& [c, count] : machine.take) {
                for (std::uint32_t k = 0; k < count; ++k) launch.pods.push_back(left[c][next[c]++]);
            }
            plan.price += spec->price;
            plan.launches.push_back(std::move(launch));
        }
    }
    for (std::size_t c = 0; c < left.size(); ++c) {
        for (std::size_t i = next[c]; i < left[c].size(); ++i)
            plan.waits.push_back({left[c][i], filled.reasons[c]});
    }
    std::sort(plan.waits.begin(), plan.waits.end(),
              [](const Wait& a, const Wait& b) { return a.pod < b.pod; });

    // What is placed, less all the room there was before, must be bought: no plan for these pods costs less.
    std::vector<double> demand(problem.dimensions(), 0);
    const auto add_to_demand = [&](model::PodIndex pod) {
        const std::vector<double> request = problem.dense(snapshot.pods[pod].shape->requests);
        for (std::size_t d = 0; d < demand.size(); ++d) demand[d] += request[d];
    };
    for (const Placement& placement : plan.placements) add_to_demand(placement.pod);
    for (const Launch& launch : plan.launches)
        std::for_each(launch.pods.begin(), launch.pods.end(), add_to_demand);
    for (const model::RoomView& room : snapshot.rooms) {
        const std::vector<double> free = problem.dense(room.free);
        for (std::size_t d = 0; d < demand.size(); ++d) demand[d] -= std::max(0.0, free[d]);
    }
    plan.lower_bound = {
        static_cast<std::int64_t>(resource_bound(make_columns(problem), demand).cost * 1e9 * (1 - 1e-12))};
    return plan;
}

}  // namespace joiner::plan
