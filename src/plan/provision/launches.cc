#include "plan/provision/launches.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "base/check.h"
#include "rules/new_node.h"

namespace joiner::plan {
namespace {

rules::Requirements launch_requirements(const Problem& problem, const Machine& machine) {
    const rules::Requirements& of_pool = problem.snapshot().pools[machine.pool].requirements;
    rules::Requirements out = of_pool;
    for (const auto& [group, alternative] : groups_of(problem, machine)) {
        for (const rules::Requirement& wanted : *problem.groups()[group].alternatives[alternative]) {
            if (rules::is_for_the_claim(wanted, of_pool, problem.snapshot().well_known)) out.add(wanted);
        }
    }
    return out;
}

// Under limits no stand-in may count for more than the machine that was counted. Returns those listed.
StandIns widen(const Problem& problem, const ProvisionOptions& options, const Machine& machine,
               MachineSpec& spec) {
    const PoolOptions& pool = problem.pools()[machine.pool];
    const std::size_t limits = problem.snapshot().pools[machine.pool].remaining.size();
    StandIns listed;
    rules::Resources daemons;
    for (const auto& [option, mask] : stand_ins(problem, machine)) {
        bool counts_for_more = false;
        for (std::size_t i = 0; i < limits; ++i) {
            counts_for_more |=
                pool.capacity[option * limits + i] > pool.capacity[machine.option * limits + i];
        }
        if (counts_for_more) continue;
        if (spec.types.size() >= options.max_types) break;
        if (listed.empty()) {
            daemons = pool.types[option].daemons;
        } else {
            daemons.min_with(pool.types[option].daemons);
        }
        listed.emplace_back(option, mask);
        const rules::InstanceType& type = problem.type(machine.pool, pool.types[option]);
        spec.types.push_back(type.name);
        spec.has_overlaid_price |= type.has_overlaid_price;
        spec.has_overlaid_capacity |= type.has_overlaid_capacity;
    }
    CHECK(!spec.types.empty());
    spec.requests += daemons;
    return listed;
}

// Where minValues are relaxed, a claim asks for no more values than its types have.
void lower_min_values(const Problem& problem, const Machine& machine, const StandIns& listed,
                      MachineSpec& spec) {
    const ValueCounts counts = count_values(problem, machine.pool, listed);
    std::size_t i = 0;
    for (const rules::Requirement& of_pool : problem.snapshot().pools[machine.pool].requirements) {
        if (!of_pool.min_values()) continue;
        const int count = counts[i++];
        if (count >= *of_pool.min_values()) continue;
        rules::Requirement own = *spec.requirements.find(of_pool.key());
        own.set_min_values(count > 0 ? std::optional(count) : std::nullopt);
        spec.requirements.replace(std::move(own));
    }
}

MachineSpec make_spec(const Problem& problem, const ProvisionOptions& options, const Machine& machine) {
    const TypeOption& option = problem.pools()[machine.pool].types[machine.option];
    const rules::Offering& offering =
        problem.offering(machine.pool, option, Problem::cheapest(option, machine.offerings));
    MachineSpec out;
    out.pool = machine.pool;
    out.zone = offering.zone();
    out.capacity_type = offering.capacity_type();
    out.price = offering.price;
    out.requirements = launch_requirements(problem, machine);
    out.min_values_relaxed = machine.min_values_relaxed;
    for (const auto& [c, count] : machine.take) {
        for (std::uint32_t i = 0; i < count; ++i) out.requests += problem.classes()[c].shape->requests;
    }
    const StandIns listed = widen(problem, options, machine, out);
    if (out.min_values_relaxed) lower_min_values(problem, machine, listed, out);
    return out;
}

// All that a spec is made of; machines for pods of like shapes share one.
using SpecKey = std::tuple<model::PoolIndex, std::uint32_t, OfferingMask, OpenId, bool, std::vector<double>,
                           std::vector<std::pair<std::uint32_t, std::uint32_t>>>;

SpecKey spec_key(const Problem& problem, const Machine& machine) {
    std::vector<double> need(problem.dimensions(), 0);
    for (const auto& [c, count] : machine.take) {
        for (std::size_t d = 0; d < need.size(); ++d) need[d] += count * problem.classes()[c].request[d];
    }
    return {machine.pool,
            machine.option,
            machine.offerings,
            machine.open,
            machine.min_values_relaxed,
            std::move(need),
            groups_of(problem, machine)};
}

}  // namespace

void make_launches(const Problem& problem, const ProvisionOptions& options,
                   const std::vector<Machine>& machines, std::vector<std::vector<model::PodIndex>>& left,
                   Plan& plan) {
    std::vector<std::size_t> next(left.size(), 0);
    std::map<SpecKey, std::shared_ptr<const MachineSpec>> specs;
    for (const Machine& machine : machines) {
        std::shared_ptr<const MachineSpec>& spec = specs[spec_key(problem, machine)];
        if (spec == nullptr) spec = std::make_shared<const MachineSpec>(make_spec(problem, options, machine));
        for (std::uint32_t i = 0; i < machine.times; ++i) {
            Launch launch{spec, {}};
            for (const auto& [c, count] : machine.take) {
                for (std::uint32_t k = 0; k < count; ++k) launch.pods.push_back(left[c][next[c]++]);
            }
            plan.price += spec->price;
            plan.node_cost += problem.snapshot().pools[machine.pool].node_cost;
            plan.launches.push_back(std::move(launch));
        }
    }
    for (std::size_t c = 0; c < left.size(); ++c)
        left[c].erase(left[c].begin(), left[c].begin() + static_cast<std::ptrdiff_t>(next[c]));
}

void add_launch(const Problem& problem, const ProvisionOptions& options, const Machine& machine,
                std::vector<model::PodIndex> pods, Plan& plan) {
    const auto spec = std::make_shared<const MachineSpec>(make_spec(problem, options, machine));
    plan.price += spec->price;
    plan.node_cost += problem.snapshot().pools[machine.pool].node_cost;
    plan.launches.push_back({spec, std::move(pods)});
}

}  // namespace joiner::plan
