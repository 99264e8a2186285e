#include "plan/provision/machine.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <tuple>

namespace joiner::plan {

rules::Money price_of(const Problem& problem, const Machine& machine) {
    const TypeOption& option = problem.pools()[machine.pool].types[machine.option];
    return problem.offering(machine.pool, option, Problem::cheapest(option, machine.offerings)).cost() +
           problem.snapshot().pools[machine.pool].node_cost;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> groups_of(const Problem& problem,
                                                               const Machine& machine) {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    for (const auto& [c, alternative] : machine.alternative)
        out.emplace_back(problem.classes()[c].group, alternative);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

StandIns stand_ins(const Problem& problem, const Machine& machine) {
    const PoolOptions& options = problem.pools()[machine.pool];
    const std::size_t n = problem.dimensions();
    std::vector<double> need(n, 0);
    for (const auto& [c, count] : machine.take) {
        for (std::size_t d = 0; d < n; ++d) need[d] += count * problem.classes()[c].request[d];
    }
    for (const std::size_t d : machine.shared_volumes) ++need[d];
    std::vector<const OfferingMask*> masks;
    for (const auto& [group, alternative] : groups_of(problem, machine))
        masks.push_back(problem.groups()[group].matches[alternative][machine.pool].masks.data());
    struct Found {
        rules::Money price;
        std::string_view name;
        std::uint32_t option;
        OfferingMask mask;
    };
    std::vector<Found> found;
    for (const std::uint32_t t : options.by_price) {
        OfferingMask mask = options.types[t].offerings;
        for (std::size_t d = 0; d < n && mask != 0; ++d) {
            if (need[d] > 0 && need[d] > options.room[t * n + d]) mask = 0;
        }
        for (std::size_t i = 0; i < masks.size() && mask != 0; ++i) mask &= masks[i][t];
        if (mask == 0) continue;
        // What the pods ask of labels that a type leaves open must also meet the type itself.
        const rules::InstanceType& type = problem.type(machine.pool, options.types[t]);
        if (machine.open != 0 &&
            !rules::intersects(type.requirements, problem.open_requirements(machine.open)))
            continue;
        const std::uint8_t bit = Problem::cheapest(options.types[t], mask);
        found.push_back({problem.offering(machine.pool, options.types[t], bit).cost(), type.name, t, mask});
    }
    const auto is_cheaper = [](const Found& a, const Found& b) {
        return std::tie(a.price, a.name) < std::tie(b.price, b.name);
    };
    // They are in order already where every type's cheapest offering will do.
    if (!std::is_sorted(found.begin(), found.end(), is_cheaper))
        std::sort(found.begin(), found.end(), is_cheaper);
    StandIns out;
    out.reserve(found.size());
    for (const Found& one : found) out.emplace_back(one.option, one.mask);
    return out;
}

bool has_min_values(const Problem& problem, model::PoolIndex pool) {
    const rules::Requirements& requirements = problem.snapshot().pools[pool].requirements;
    return std::any_of(requirements.begin(), requirements.end(),
                       [](const rules::Requirement& one) { return one.min_values().has_value(); });
}

ValueCounts asked_values(const Problem& problem, model::PoolIndex pool) {
    ValueCounts out;
    for (const rules::Requirement& requirement : problem.snapshot().pools[pool].requirements) {
        if (requirement.min_values()) out.push_back(*requirement.min_values());
    }
    return out;
}

namespace {

// What the key may be on a machine of the type: where its offerings say so, what those of the mask have.
std::vector<std::string_view> values_on(const Problem& problem, model::PoolIndex pool,
                                        const TypeOption& option, OfferingMask mask, const std::string& key) {
    std::vector<std::string_view> out;
    const auto add = [&](const rules::Requirements& requirements) {
        const rules::Requirement* own = requirements.find(key);
        if (own != nullptr) out.insert(out.end(), own->values().begin(), own->values().end());
    };
    for (std::size_t bit = 0; bit < 64; ++bit) {
        if ((mask >> bit & 1) != 0) add(problem.offering(pool, option, bit).requirements);
    }
    if (out.empty()) add(problem.type(pool, option).requirements);
    return out;
}

}  // namespace

ValueCounts count_values(const Problem& problem, model::PoolIndex pool, const StandIns& others) {
    ValueCounts out;
    for (const rules::Requirement& requirement : problem.snapshot().pools[pool].requirements) {
        if (!requirement.min_values()) continue;
        std::set<std::string_view> seen;
        const auto asked = static_cast<std::size_t>(std::max(0, *requirement.min_values()));
        for (const auto& [option, mask] : others) {
            if (seen.size() >= asked) break;
            const TypeOption& type = problem.pools()[pool].types[option];
            for (const std::string_view value : values_on(problem, pool, type, mask, requirement.key())) {
                if (requirement.allows(value)) seen.insert(value);
            }
        }
        out.push_back(static_cast<int>(std::min(seen.size(), asked)));
    }
    return out;
}

bool has_enough(const ValueCounts& counts, const ValueCounts& asked) {
    return std::equal(counts.begin(), counts.end(), asked.begin(), std::greater_equal<>());
}

bool meets_min_values(const Problem& problem, model::PoolIndex pool, const StandIns& others) {
    return has_enough(count_values(problem, pool, others), asked_values(problem, pool));
}

ValueCounts lowered(ValueCounts asked, const ValueCounts& counts) {
    for (std::size_t i = 0; i < asked.size(); ++i) asked[i] = std::min(asked[i], counts[i]);
    return asked;
}

MinValues judge_min_values(const Problem& problem, MinValuesPolicy policy, const Machine& machine,
                           const StandIns& others,
                           const std::function<ValueCounts(const Machine& single)>& alone) {
    const ValueCounts asked = asked_values(problem, machine.pool);
    const ValueCounts counts = count_values(problem, machine.pool, others);
    if (has_enough(counts, asked)) return MinValues::kMet;
    if (policy != MinValuesPolicy::kBestEffort) return MinValues::kUnmet;
    for (const auto& [c, alternative] : machine.alternative) {
        Machine single;
        single.pool = machine.pool;
        single.open = problem.groups()[problem.classes()[c].group].matches[alternative][machine.pool].open;
        single.take = {{c, 1}};
        single.alternative = {{c, alternative}};
        if (has_enough(counts, lowered(asked, alone(single)))) return MinValues::kRelaxed;
    }
    return MinValues::kUnmet;
}

}  // namespace joiner::plan
