#include "control/savings.h"

namespace joiner::control {

void Savings::realise(rules::Money before, const std::set<std::string>& bought) {
    prices_.look();
    for (const std::string& claim : bought) before -= price_of(claim);
    totals_.realised += before;
}

void Savings::promise_empty(const std::string& claim) {
    if (empty_.contains(claim)) return;
    prices_.look();
    const rules::Money price = price_of(claim);
    empty_.emplace(claim, price);
    totals_.promised += price;
}

void Savings::note_gone(const std::string& claim) {
    const auto it = empty_.find(claim);
    if (it == empty_.end()) return;
    totals_.realised += it->second;
    empty_.erase(it);
}

rules::Money Savings::price_of(const std::string& claim) const {
    const model::ClaimState* state = cluster_.find_claim(claim);
    const model::NodeState* node = state == nullptr ? nullptr : cluster_.node_of(state->claim);
    return node == nullptr ? rules::Money{}
                           : prices_.price_of(node->node.meta.labels).value_or(rules::Money{});
}

}  // namespace joiner::control
