#include "control/offering_metrics.h"

#include <algorithm>
#include <optional>

namespace joiner::control {
namespace {

constexpr Duration kBetweenOfferLooks = std::chrono::minutes{1};
constexpr int kMostShownAtOnce = 1000;

}  // namespace

// Each list once, in the order of the pools.
std::vector<cloud::InstanceTypes> OfferingMetrics::types_now() const {
    std::vector<cloud::InstanceTypes> out;
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const cloud::Provider& provider = services_.providers.of(state.pool.node_template.node_class);
        if (!provider.shows_offerings()) continue;
        const cloud::InstanceTypes types = services_.offers.instance_types(state.pool);
        if (types != nullptr && std::find(out.begin(), out.end(), types) == out.end()) out.push_back(types);
    }
    return out;
}

void OfferingMetrics::look() {
    const WallTime now = services_.loop.now();
    if (now >= look_after_) {
        look_after_ = now + kBetweenOfferLooks;
        find_changes();
    }
    for (int i = 0; i < kMostShownAtOnce && !changes_.empty(); ++i) {
        show(changes_.front());
        changes_.pop_front();
    }
}

void OfferingMetrics::find_changes() {
    std::vector<cloud::InstanceTypes> types = types_now();
    if (types == seen_) return;
    seen_ = std::move(types);
    wanted_.clear();
    for (const cloud::InstanceTypes& list : seen_) {
        for (const rules::InstanceType& type : *list) {
            wanted_[{type.name, "", ""}] = {static_cast<double>(type.capacity.cpu_milli) / 1000,
                                            static_cast<double>(type.capacity.memory_bytes)};
            for (const rules::Offering& offering : type.offerings) {
                const double price = offering.price.dollars();
                const auto [it, is_new] = wanted_.try_emplace(
                    {type.name, std::string(offering.capacity_type()), std::string(offering.zone())},
                    offering.available ? 1 : 0, price);
                if (is_new) continue;
                // Of several pools, reservations or partitions: any that is to be had, the lowest price.
                it->second.first = std::max(it->second.first, offering.available ? 1.0 : 0.0);
                it->second.second = std::min(it->second.second, price);
            }
        }
    }
    changes_.clear();
    for (const auto& [key, value] : wanted_) {
        const auto it = shown_.find(key);
        if (it == shown_.end() || it->second != value) changes_.push_back(key);
    }
    for (const auto& [key, value] : shown_) {
        if (!wanted_.contains(key)) changes_.push_back(key);
    }
}

void OfferingMetrics::show(const Key& key) {
    const auto& [type, capacity_type, zone] = key;
    const bool is_type = zone.empty() && capacity_type.empty();
    observe::Labels labels = {{"instance_type", type}};
    if (!is_type) labels.insert({{"capacity_type", capacity_type}, {"zone", zone}});
    const char* first =
        is_type ? "cloudprovider_instance_type_cpu_cores" : "cloudprovider_instance_type_offering_available";
    const char* second = is_type ? "cloudprovider_instance_type_memory_bytes"
                                 : "cloudprovider_instance_type_offering_price_estimate";
    const auto wanted = wanted_.find(key);
    if (wanted == wanted_.end()) {
        metrics_.drop(first, labels);
        metrics_.drop(second, labels);
        shown_.erase(key);
        return;
    }
    metrics_.set(first, labels, wanted->second.first);
    metrics_.set(second, labels, wanted->second.second);
    shown_[key] = wanted->second;
}

}  // namespace joiner::control
