#include "control/savings.h"

#include <algorithm>

#include "api/names.h"

namespace joiner::control {
namespace {

constexpr std::string_view kPromised = "joiner_savings_promised_per_hour_total";
constexpr std::string_view kRealised = "joiner_savings_realised_per_hour_total";

}  // namespace

void Savings::promise(const Cause& cause, rules::Money saves) {
    totals_.promised += saves;
    count(kPromised, cause, saves);
}

void Savings::realise(const Cause& cause, rules::Money before, const std::set<std::string>& bought) {
    prices_.look();
    for (const std::string& claim : bought) before -= price_of(claim);
    totals_.realised += before;
    count(kRealised, cause, before);
}

void Savings::promise_empty(const std::vector<std::string>& claims) {
    if (claims.empty()) return;
    prices_.look();
    for (const std::string& claim : claims) promise_one(claim);
}

void Savings::promise_one(const std::string& claim) {
    if (empty_.contains(claim)) return;
    const model::ClaimState* state = cluster_.find_claim(claim);
    if (state == nullptr) return;
    Cause cause{std::string(api::find_or_empty(state->claim.meta.labels, api::kNodePoolLabel)), "empty"};
    const rules::Money price = price_of(claim);
    totals_.promised += price;
    count(kPromised, cause, price);
    empty_.emplace(claim, Empty{std::move(cause), price});
}

void Savings::note_gone(const std::string& claim) {
    const auto it = empty_.find(claim);
    if (it == empty_.end()) return;
    totals_.realised += it->second.price;
    count(kRealised, it->second.cause, it->second.price);
    empty_.erase(it);
}

rules::Money Savings::price_of(const std::string& claim) const {
    const model::ClaimState* state = cluster_.find_claim(claim);
    const model::NodeState* node = state == nullptr ? nullptr : cluster_.node_of(state->claim);
    return node == nullptr ? rules::Money{}
                           : prices_.price_of(node->node.meta.labels).value_or(rules::Money{});
}

void Savings::count(std::string_view metric, const Cause& cause, rules::Money saves) {
    metrics_.count(metric, {{"nodepool", cause.pool}, {"reason", cause.reason}},
                   std::max(0.0, saves.dollars()));
}

}  // namespace joiner::control
