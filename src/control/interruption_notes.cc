#include "control/interruption_notes.h"

#include <algorithm>
#include <vector>

namespace joiner::control {
namespace {

constexpr Duration kBetweenRateLooks = std::chrono::minutes{1};
constexpr std::size_t kMostRateGauges = 1'000;

}  // namespace

void InterruptionNotes::look() {
    const WallTime now = services_.loop.now();
    if (now < look_after_) return;
    look_after_ = now + kBetweenRateLooks;
    // The most often first.
    std::vector<std::pair<double, rules::OfferingKey>> learned;
    for (const auto& [key, seen] : prices_.rates().seen()) {
        if (prices_.rates().excess(key) > 0) learned.emplace_back(-prices_.rates().rate(key), key);
    }
    if (learned.empty() && !has_said_) return;
    has_said_ = !learned.empty();
    std::sort(learned.begin(), learned.end());
    learned.resize(std::min(learned.size(), kMostRateGauges));
    const std::map<rules::OfferingKey, rules::Money> costs = this->costs();
    for (const auto& [minus_rate, key] : learned) {
        const observe::Labels labels = {
            {"instance_type", key.type}, {"zone", key.zone}, {"capacity_type", key.capacity_type}};
        gauges_.set("joiner_offering_interruptions_per_hour", labels, -minus_rate);
        if (const auto cost = costs.find(key); cost != costs.end())
            gauges_.set("joiner_offering_interruption_cost_per_hour", labels, cost->second.dollars());
    }
    gauges_.end_pass();
}

// As pools that sell them have them; the most of several.
std::map<rules::OfferingKey, rules::Money> InterruptionNotes::costs() const {
    std::map<rules::OfferingKey, rules::Money> out;
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const cloud::InstanceTypes types = services_.offers.all_types(state.pool);
        if (types == nullptr) continue;
        for (const rules::InstanceType& type : *types) {
            for (const rules::Offering& offering : type.offerings) {
                if (offering.interruption_cost == rules::Money{}) continue;
                rules::Money& its = out[rules::key_of(type, offering)];
                its = std::max(its, offering.interruption_cost);
            }
        }
    }
    return out;
}

}  // namespace joiner::control
