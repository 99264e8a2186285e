#include "control/node_prices.h"

#include <cmath>
#include <cstdlib>

#include "api/names.h"

namespace joiner::control {
namespace {

constexpr std::string_view kPriceLabel = "eks-node-viewer/instance-price";

std::vector<plan::SoldMachine> sold_to(const api::NodePool& pool,
                                       const std::vector<rules::InstanceType>& types) {
    std::vector<plan::SoldMachine> out;
    auto wanted = rules::make_requirements(pool.node_template.requirements);
    if (!wanted) return out;
    wanted->add_labels(pool.node_template.labels);
    for (const rules::InstanceType& type : types) {
        if (!rules::intersects(type.requirements, *wanted)) continue;
        const rules::Offering* cheapest = nullptr;
        for (const rules::Offering& offering : type.offerings) {
            if (rules::intersects(offering.requirements, *wanted) &&
                (cheapest == nullptr || offering.price < cheapest->price))
                cheapest = &offering;
        }
        if (cheapest == nullptr) continue;
        const rules::Resources holds = type.allocatable();
        out.push_back({holds.cpu_milli, holds.memory_bytes, cheapest->price});
    }
    return out;
}

std::optional<rules::Money> labelled_price(const api::StringMap& labels) {
    const std::string text(api::find_or_empty(labels, kPriceLabel));
    char* end = nullptr;
    const double dollars = std::strtod(text.c_str(), &end);
    if (text.empty() || *end != '\0' || !std::isfinite(dollars) || dollars < 0) return std::nullopt;
    return rules::Money::from_dollars(dollars);
}

}  // namespace

void NodePrices::look() {
    std::map<std::string, Types, std::less<>> kept;
    sold_.clear();
    for (const auto& [name, state] : cluster_.our_pools()) {
        cloud::InstanceTypes all = offers_.all_types(state.pool);
        const auto known = by_pool_.find(name);
        Types types = known == by_pool_.end() ? Types{} : std::move(known->second);
        if (types.all != all || types.generation != state.pool.meta.generation) {
            types = Types{};
            types.all = std::move(all);
            types.generation = state.pool.meta.generation;
            if (types.all != nullptr) {
                for (const rules::InstanceType& type : *types.all) types.by_name.emplace(type.name, &type);
                types.sold = sold_to(state.pool, *types.all);
            }
        }
        sold_.insert(sold_.end(), types.sold.begin(), types.sold.end());
        kept.emplace(name, std::move(types));
    }
    by_pool_ = std::move(kept);
}

std::optional<rules::Money> NodePrices::price_of(const api::StringMap& labels) const {
    const auto pool = by_pool_.find(api::find_or_empty(labels, api::kNodePoolLabel));
    if (pool == by_pool_.end()) return labelled_price(labels);
    const auto& by_name = pool->second.by_name;
    const auto type = by_name.find(api::find_or_empty(labels, api::kInstanceTypeLabel));
    if (type == by_name.end()) return labelled_price(labels);
    const std::string_view zone = api::find_or_empty(labels, api::kZoneLabel);
    const std::string_view capacity = api::find_or_empty(labels, api::kCapacityTypeLabel);
    for (const rules::Offering& offering : type->second->offerings) {
        if (offering.zone() == zone && offering.capacity_type() == capacity) return offering.price;
    }
    return labelled_price(labels);
}

}  // namespace joiner::control
