#include "model/capacity_mix.h"

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "model/reservations.h"
#include "rules/taints.h"

namespace joiner::model {
namespace {

constexpr std::string_view kCpu = "cpu";

// Of the types that the claim lists, while it is not known what it has become.
std::int64_t cores_of(const api::NodeClaim& claim, const std::vector<rules::InstanceType>* types, bool most) {
    if (!claim.capacity.empty()) return rules::as_capacity(claim.capacity).cpu_milli;
    if (types == nullptr) return 0;
    std::int64_t out = -1;
    for (const api::SelectorRequirement& requirement : claim.requirements) {
        if (requirement.key != api::kInstanceTypeLabel || requirement.op != "In") continue;
        for (const rules::InstanceType& type : *types) {
            if (std::find(requirement.values.begin(), requirement.values.end(), type.name) ==
                requirement.values.end())
                continue;
            const std::int64_t own = type.capacity.cpu_milli;
            out = out < 0 ? own : most ? std::max(out, own) : std::min(out, own);
        }
    }
    return std::max<std::int64_t>(0, out);
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
        const std::string type = settled_value(claim, api::kCapacityTypeLabel);
        const bool is_spot = type != api::kOnDemand && type != api::kReserved;
        if (!is_spot && has(facts.in_doubt, name)) continue;
        count_capacity(mix->second, is_spot, cores_of(claim, types[mix->first].get(), is_spot));
    }
    // A simulation knows nodes that have no claim.
    for (const auto& [name, state] : facts.cluster.nodes()) {
        const auto mix = out.find(api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel));
        if (mix == out.end() || facts.cluster.claim_of(state.node) != nullptr || is_on_its_way_out(&state))
            continue;
        count_capacity(mix->second,
                       api::find_or_empty(state.node.meta.labels, api::kCapacityTypeLabel) == api::kSpot,
                       rules::as_capacity(state.node.capacity).cpu_milli);
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
