#include "plan/provision/launches.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "api/names.h"
#include "base/check.h"
#include "plan/provision/node_of_machine.h"

namespace joiner::plan {
namespace {

// The offerings of `mask` by their value of the key.
std::vector<std::string> values_on(const Problem& problem, model::PoolIndex pool, const TypeOption& option,
                                   OfferingMask mask, std::string_view key) {
    std::set<std::string> out;
    for (const std::uint8_t bit : option.order) {
        if ((mask >> bit & 1) == 0) continue;
        const rules::Requirement* own = problem.offering(pool, option, bit).requirements.find(key);
        if (own != nullptr) out.insert(own->values().begin(), own->values().end());
    }
    return {out.begin(), out.end()};
}

// Offerings that the claim would allow by its requirements, of the types it lists, and that do not hold its
// pods: other daemons stand there.
bool allows_too_small(const Problem& problem, const Machine& machine, const StandIns& listed,
                      const rules::Requirements& wanted) {
    const PoolOptions& pool = problem.pools()[machine.pool];
    const auto is_listed_type = [&](std::uint32_t type) {
        return std::any_of(listed.begin(), listed.end(),
                           [&](const auto& one) { return pool.types[one.first].type == type; });
    };
    for (std::uint32_t t = 0; t < pool.types.size(); ++t) {
        const TypeOption& option = pool.types[t];
        const auto own =
            std::find_if(listed.begin(), listed.end(), [&](const auto& one) { return one.first == t; });
        const OfferingMask held = own == listed.end() ? 0 : own->second;
        if ((option.offerings & ~held) == 0 || !is_listed_type(option.type)) continue;
        for (const std::uint8_t bit : option.order) {
            if ((held >> bit & 1) == 0 &&
                rules::intersects(problem.offering(machine.pool, option, bit).requirements, wanted))
                return true;
        }
    }
    return false;
}

// A type on some of whose offerings other daemons stand may hold the pods on the others only. Then the claim
// says which: by capacity type, by zone where that is not enough.
void keep_off_too_small(const Problem& problem, const Machine& machine, StandIns& listed, MachineSpec& spec) {
    const TypeOption& chosen = problem.pools()[machine.pool].types[machine.option];
    const auto narrow = [&](std::string_view key, std::vector<std::string> values) {
        if (values.empty()) return;
        spec.requirements.add(rules::Requirement::in(std::string(key), std::move(values)));
        std::erase_if(listed, [&](auto& one) {
            const TypeOption& option = problem.pools()[machine.pool].types[one.first];
            for (const std::uint8_t bit : option.order) {
                if (!rules::intersects(problem.offering(machine.pool, option, bit).requirements,
                                       spec.requirements))
                    one.second &= ~(OfferingMask{1} << bit);
            }
            return one.second == 0;
        });
    };
    for (const std::string_view key : {api::kCapacityTypeLabel, api::kZoneLabel}) {
        if (!allows_too_small(problem, machine, listed, spec.requirements)) return;
        narrow(key, values_on(problem, machine.pool, chosen, machine.offerings, key));
    }
    if (!allows_too_small(problem, machine, listed, spec.requirements)) return;
    narrow(api::kCapacityTypeLabel, {spec.capacity_type});
    narrow(api::kZoneLabel, {spec.zone});
    if (allows_too_small(problem, machine, listed, spec.requirements))
        std::erase_if(listed, [&](const auto& one) { return one.first != machine.option; });
}

// Lists what may stand in, as far as a claim can say so. Returns those listed.
StandIns widen(const Problem& problem, const ProvisionOptions& options, const Machine& machine,
               StandIns listed, MachineSpec& spec) {
    const PoolOptions& pool = problem.pools()[machine.pool];
    if (pool.has_parts) keep_off_too_small(problem, machine, listed, spec);
    rules::Resources daemons;
    std::set<std::uint32_t> named;
    std::size_t used = 0;
    for (; used < listed.size(); ++used) {
        const TypeOption& option = pool.types[listed[used].first];
        const bool is_new = !named.contains(option.type);
        if (is_new && named.size() >= options.max_types) break;
        if (used == 0) {
            daemons = option.daemons;
        } else {
            daemons.min_with(option.daemons);
        }
        if (!is_new) continue;
        named.insert(option.type);
        const rules::InstanceType& type = problem.type(machine.pool, option);
        spec.types.push_back(type.name);
        spec.has_overlaid_price |= type.has_overlaid_price;
        spec.has_overlaid_capacity |= type.has_overlaid_capacity;
    }
    listed.resize(used);
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

// What of the machine's price is there because others that cost less are interrupted more.
rules::Money paid_for_fewer_interruptions(const Problem& problem, model::PoolIndex pool,
                                          const rules::Offering& bought, const StandIns& listed) {
    rules::Money least = bought.price;
    for (const auto& [option, mask] : listed) {
        const TypeOption& type = problem.pools()[pool].types[option];
        for (const std::uint8_t bit : type.order) {
            const rules::Offering& other = problem.offering(pool, type, bit);
            if ((mask >> bit & 1) != 0 && other.interruption_cost > bought.interruption_cost)
                least = std::min(least, other.price);
        }
    }
    return bought.price - least;
}

MachineSpec make_spec(const Problem& problem, const ProvisionOptions& options, Machine machine) {
    StandIns others;
    machine = as_bought(problem, std::move(machine), others);
    const TypeOption& option = problem.pools()[machine.pool].types[machine.option];
    const rules::Offering& offering =
        problem.offering(machine.pool, option, Problem::cheapest(option, machine.offerings));
    MachineSpec out;
    out.pool = machine.pool;
    out.zone = offering.zone();
    out.capacity_type = offering.capacity_type();
    out.price = offering.price;
    out.interruption_cost = offering.interruption_cost;
    out.requirements = claim_requirements(problem, machine);
    out.min_values_relaxed = machine.min_values_relaxed;
    for (const auto& [c, count] : machine.take) {
        for (std::uint32_t i = 0; i < count; ++i) out.requests += problem.classes()[c].shape->requests;
    }
    const StandIns listed = widen(problem, options, machine, std::move(others), out);
    out.paid_for_fewer_interruptions = paid_for_fewer_interruptions(problem, machine.pool, offering, listed);
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
            plan.node_cost += cost_besides(problem.snapshot(), *spec);
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
    plan.node_cost += cost_besides(problem.snapshot(), *spec);
    plan.launches.push_back({spec, std::move(pods)});
}

}  // namespace joiner::plan
