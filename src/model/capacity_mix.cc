#include "model/capacity_mix.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/names.h"
#include "model/reservations.h"
#include "rules/taints.h"

namespace joiner::model {
namespace {

constexpr std::string_view kCpu = "cpu";

// While it is not known what the claim has become: of the types that it lists, the most or the least.
std::int64_t cores_of(const api::NodeClaim& claim, const NodeState* node,
                      const std::vector<rules::InstanceType>* types, bool most) {
    const std::int64_t known = capacity_cores(&claim, node == nullptr ? nullptr : &node->node);
    if (known > 0) return known;
    if (types == nullptr) return 0;
    std::optional<std::int64_t> out;
    for (const api::SelectorRequirement& requirement : claim.requirements) {
        if (requirement.key != api::kInstanceTypeLabel || requirement.op != "In") continue;
        for (const rules::InstanceType& type : *types) {
            const bool is_listed = std::find(requirement.values.begin(), requirement.values.end(),
                                             type.name) != requirement.values.end();
            if (!is_listed) continue;
            const std::int64_t own = type.capacity.cpu_milli;
            out = most ? std::max(out.value_or(own), own) : std::min(out.value_or(own), own);
        }
    }
    return out.value_or(0);
}

bool is_on_its_way_out(const NodeState* node) {
    return node != nullptr && (node->node.meta.deleted ||
                               rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule));
}

std::int64_t part_of(std::int64_t left, std::int64_t numerator, std::int64_t denominator) {
    if (left <= 0 || denominator <= 0) return 0;
    return static_cast<std::int64_t>(static_cast<double>(left) * static_cast<double>(numerator) /
                                     static_cast<double>(denominator));
}

// What limits leave, dealt to the parts: cores as the ratio has it once all are used, the rest alike.
void deal_limits(PoolView& rest, PoolView& part, const rules::CapacityMix& mix) {
    part.remaining.clear();
    std::int64_t cores = -1;
    for (const auto& [name, left] : rest.remaining) {
        if (name == kCpu) cores = left;
    }
    const std::int64_t of_cores =
        cores < 0 ? 0 : std::min(cores, mix.spot_left(mix.on_demand + mix.spot + cores));
    for (auto& [name, left] : rest.remaining) {
        const std::int64_t share = name == kCpu ? of_cores
                                   : cores > 0  ? part_of(left, of_cores, cores)
                                                : part_of(left, 100 - mix.ratio.percent, 100);
        part.remaining.emplace_back(name, left < 0 ? left : share);
        left -= share;
    }
}

}  // namespace

std::int64_t capacity_cores(const api::NodeClaim* claim, const api::Node* node) {
    std::int64_t out = 0;
    if (claim != nullptr) out = rules::as_capacity(claim->capacity).cpu_milli;
    if (out == 0 && node != nullptr) out = rules::as_capacity(node->capacity).cpu_milli;
    if (out == 0 && node != nullptr) out = rules::as_capacity(node->allocatable).cpu_milli;
    return out;
}

bool counts_as_spot(const Cluster& cluster, const api::NodeClaim& claim) {
    const NodeState* node = cluster.node_of(claim);
    std::string type;
    if (node != nullptr) type = api::find_or_empty(node->node.meta.labels, api::kCapacityTypeLabel);
    if (type.empty()) type = settled_value(claim, api::kCapacityTypeLabel);
    return type != api::kOnDemand && type != api::kReserved;
}

void count_capacity(rules::CapacityMix& mix, bool is_spot, std::int64_t milli_cores) {
    (is_spot ? mix.spot : mix.on_demand) += milli_cores;
}

CapacityMixes capacity_mixes(const MixFacts& facts) {
    CapacityMixes out;
    std::map<std::string_view, rules::InstanceTypes> types;
    for (const auto& [name, state] : facts.cluster.our_pools()) {
        const rules::RatioWish wish = rules::ratio_wish(state.pool);
        if (!wish.ratio) continue;
        out[name].ratio = *wish.ratio;
        types[name] = facts.types ? facts.types(state.pool) : nullptr;
    }
    if (out.empty()) return out;
    const auto has = [](const ClaimNames* names, const std::string& name) {
        return names != nullptr && names->contains(name);
    };
    for (const auto& [name, state] : facts.cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        const auto mix = out.find(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
        if (mix == out.end() || claim.meta.deleted || has(facts.without, name)) continue;
        const NodeState* node = facts.cluster.node_of(claim);
        if (is_on_its_way_out(node)) continue;
        const bool is_spot = counts_as_spot(facts.cluster, claim);
        if (!is_spot && has(facts.in_doubt, name)) continue;
        count_capacity(mix->second, is_spot, cores_of(claim, node, types[mix->first].get(), is_spot));
    }
    // A simulation knows nodes that have no claim.
    for (const auto& [name, state] : facts.cluster.nodes()) {
        const auto mix = out.find(api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel));
        if (mix == out.end() || facts.cluster.claim_of(state.node) != nullptr || is_on_its_way_out(&state))
            continue;
        count_capacity(mix->second,
                       api::find_or_empty(state.node.meta.labels, api::kCapacityTypeLabel) == api::kSpot,
                       capacity_cores(nullptr, &state.node));
    }
    return out;
}

std::vector<PoolView> split_by_ratio(PoolView view, const rules::CapacityMix& mix) {
    const auto one_type = [](std::string_view type) {
        return rules::Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(type)});
    };
    view.mix = mix;
    PoolView part = view;
    view.requirements.add(one_type(api::kOnDemand));
    part.requirements.add(one_type(api::kSpot));
    part.is_reservation = true;
    part.is_spot_part = true;
    if (view.remaining_without_reservations.empty()) view.remaining_without_reservations = view.remaining;
    deal_limits(view, part, mix);
    return {std::move(view), std::move(part)};
}

}  // namespace joiner::model
