#include "plan/provision/draft.h"

#include <algorithm>

#include "plan/provision/limits.h"

namespace joiner::plan {

std::vector<std::uint32_t> count_left(const Market& market, const std::vector<DraftNode>& nodes) {
    std::vector<std::uint32_t> out;
    for (const Lot& lot : market.lots()) out.push_back(lot.count);
    for (const DraftNode& node : nodes) {
        for (const Take& take : node.take) out[take.lot] -= take.count;
    }
    return out;
}

bool is_better(const Draft& a, const Draft& b) {
    if (a.is_complete != b.is_complete) return a.is_complete;
    if (a.price != b.price) return a.price < b.price;
    return a.nodes.size() < b.nodes.size();
}

Machine to_machine(const Market& market, const DraftNode& node) {
    const Problem& problem = market.problem();
    const Offer& offer = market.offers()[node.offer];
    Machine out;
    out.pool = offer.pool;
    out.option = offer.option;
    for (const Take& take : node.take) {
        const Lot& lot = market.lots()[take.lot];
        out.take.emplace_back(lot.pod_class, take.count);
        out.alternative.emplace_back(lot.pod_class, market.alternative(lot.kind));
        out.open = problem.merge(out.open, market.open(lot.kind, offer.pool));
    }
    std::sort(out.take.begin(), out.take.end());
    std::sort(out.alternative.begin(), out.alternative.end());
    OfferingMask mask = problem.pools()[offer.pool].types[offer.option].offerings;
    for (const auto& [c, alternative] : out.alternative) {
        mask &=
            problem.groups()[problem.classes()[c].group].matches[alternative][offer.pool].masks[offer.option];
    }
    out.offerings = mask;
    return out;
}

bool is_buyable_machine(const Market& market, const DraftNode& node, MinValuesPolicy policy) {
    const Problem& problem = market.problem();
    if (market.is_bin(node.offer)) return true;
    if (!market.some_open() && !has_min_values(problem, market.offers()[node.offer].pool)) return true;
    const Machine machine = to_machine(market, node);
    if (machine.open == kOpenConflict || machine.offerings == 0) return false;
    const StandIns others = stand_ins(problem, machine);
    if (std::none_of(others.begin(), others.end(),
                     [&](const auto& other) { return other.first == machine.option; }))
        return false;
    return judge_min_values(problem, policy, machine, others, [&](const Machine& single) {
               return count_values(problem, single.pool, stand_ins(problem, single));
           }) != MinValues::kUnmet;
}

bool is_sound(const Market& market, const Draft& draft, MinValuesPolicy policy) {
    const Problem& problem = market.problem();
    Limits limits(problem);
    for (const DraftNode& node : draft.nodes) {
        if (market.is_bin(node.offer)) continue;
        if (!is_buyable_machine(market, node, policy)) return false;
        const Offer& offer = market.offers()[node.offer];
        if (!limits.allow(offer.pool, offer.option)) return false;
        limits.take(offer.pool, offer.option);
    }
    return true;
}

}  // namespace joiner::plan
