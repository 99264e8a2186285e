#include "plan/provision/node_of_machine.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "plan/provision/alternatives.h"
#include "rules/new_node.h"

namespace joiner::plan {

StandIns may_stand_in(const Problem& problem, const Machine& machine) {
    const PoolOptions& pool = problem.pools()[machine.pool];
    StandIns out = stand_ins(problem, machine);
    std::erase_if(out, [&](const auto& one) {
        return !problem.counts_for_no_more(machine.pool, one.first, machine.option);
    });
    CHECK(!out.empty());
    const auto price_of_one = [&](const auto& one) {
        const TypeOption& option = pool.types[one.first];
        return problem.offering(machine.pool, option, Problem::cheapest(option, one.second)).cost();
    };
    const auto own =
        std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.first == machine.option; });
    if (own != out.end() && price_of_one(*own) == price_of_one(out.front()))
        std::rotate(out.begin(), own, own + 1);
    return out;
}

Machine as_bought(const Problem& problem, Machine machine, StandIns& others) {
    others = may_stand_in(problem, machine);
    if (has_unnamed_alternatives(problem, machine)) {
        Machine cheapest = machine;
        std::tie(cheapest.option, cheapest.offerings) = others.front();
        machine.alternative = named_alternatives(problem, cheapest);
        others = may_stand_in(problem, machine);
    }
    std::tie(machine.option, machine.offerings) = others.front();
    return machine;
}

rules::Requirements claim_requirements(const Problem& problem, const Machine& bought) {
    const model::PoolView& pool = problem.snapshot().pools[bought.pool];
    rules::Requirements out = pool.requirements;
    for (const auto& [group, alternative] : groups_of(problem, bought)) {
        for (const rules::Requirement& wanted : *problem.groups()[group].alternatives[alternative]) {
            if (rules::is_for_the_claim(wanted, pool.requirements, pool.well_known)) out.add(wanted);
        }
    }
    return out;
}

rules::Requirements labels_of_node(const Problem& problem, const Machine& machine) {
    StandIns others;
    const Machine bought = as_bought(problem, machine, others);
    const TypeOption& option = problem.pools()[bought.pool].types[bought.option];
    const rules::Offering& offering =
        problem.offering(bought.pool, option, Problem::cheapest(option, bought.offerings));
    const rules::Requirements claim = claim_requirements(problem, bought);
    rules::Requirements labels;
    for (const rules::Requirements* source :
         {&offering.requirements, &problem.type(bought.pool, option).requirements, &claim}) {
        for (const rules::Requirement& one : *source) {
            if (labels.has(one.key()) || (source != &claim && !one.is_single())) continue;
            if (std::string value = one.any_value(); !value.empty())
                labels.add(rules::Requirement::in(one.key(), {std::move(value)}));
        }
    }
    return rules::labels_of_new_node(labels);
}

}  // namespace joiner::plan
