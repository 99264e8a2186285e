#include "control/spot_prices.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "api/names.h"
#include "plan/disrupt/repack.h"

namespace joiner::control {
namespace {

constexpr Duration kBetweenCounts = std::chrono::minutes{1};
// After a longer pause nobody knows what ran meanwhile.
constexpr Duration kLongestCounted = std::chrono::minutes{10};
// What is forgotten, and the hours of machines that nothing happens to, change prices and are written so
// often.
constexpr Duration kBetweenChanges = std::chrono::hours{6};

bool is_on_spot(const api::NodeClaim& claim) {
    return api::find_or_empty(claim.meta.labels, api::kCapacityTypeLabel) == api::kSpot;
}

rules::OfferingKey spot_key_of(const api::NodeClaim& claim) {
    return {std::string(api::find_or_empty(claim.meta.labels, api::kInstanceTypeLabel)),
            std::string(api::find_or_empty(claim.meta.labels, api::kZoneLabel)),
            std::string(api::kSpot),
            {}};
}

// By what consolidation reckons: for so long is a replacement paid for beside what it replaces, and so much
// is it worth not to evict a pod.
rules::InterruptionToll toll() {
    const plan::RepackOptions reckoned;
    return {.hours = reckoned.overlap_hours, .dollars_a_core = reckoned.eviction_dollars};
}

}  // namespace

cloud::InstanceTypes SpotPrices::instance_types(const api::NodePool& pool) {
    cloud::InstanceTypes own = own_.instance_types(pool);
    if (own == nullptr || !some_cost_ || !is_heeded_) return own;
    // A pool that has no name stands for a claim without one, and is not kept.
    Priced nameless;
    Priced& kept = pool.meta.name.empty() ? nameless : priced_[pool.meta.name];
    if (kept.own != own || kept.version != version_) kept = {own, version_, priced(own)};
    return kept.types;
}

cloud::InstanceTypes SpotPrices::priced(const cloud::InstanceTypes& own) const {
    std::shared_ptr<std::vector<rules::InstanceType>> out;
    for (std::size_t i = 0; i < own->size(); ++i) {
        const rules::InstanceType& type = (*own)[i];
        const double cores = std::max(1.0, static_cast<double>(type.capacity.cpu_milli) / 1000);
        for (std::size_t j = 0; j < type.offerings.size(); ++j) {
            const rules::Offering& offering = type.offerings[j];
            if (offering.capacity_type() != api::kSpot) continue;
            const double excess =
                rates_.excess({type.name, std::string(offering.zone()), std::string(api::kSpot), {}});
            if (excess <= 0) continue;
            if (out == nullptr) out = std::make_shared<std::vector<rules::InstanceType>>(*own);
            (*out)[i].offerings[j].interruption_cost =
                rules::interruption_cost(excess, offering.price, cores, toll());
        }
    }
    return out == nullptr ? own : cloud::InstanceTypes(std::move(out));
}

void SpotPrices::note_taken_back(const api::NodeClaim& claim) {
    if (!is_on_spot(claim) || !taken_back_.insert(claim.meta.uid).second) return;
    rates_.note_interrupted(spot_key_of(claim));
    ++changes_;
}

void SpotPrices::remember(std::string_view text) {
    rates_.remember(text);
    follow();
}

void SpotPrices::look() {
    const WallTime now = loop_.now();
    if (looked_at_ != kNoTime && now - looked_at_ < kBetweenCounts) return;
    if (looked_at_ != kNoTime) count_hours(now - looked_at_);
    looked_at_ = now;
    if (changed_at_ == kNoTime) changed_at_ = now;
    if (now - changed_at_ >= kBetweenChanges && !rates_.seen().empty()) ++changes_;
    if (changes_ == followed_changes_) return;
    changed_at_ = now;
    follow();
}

void SpotPrices::count_hours(Duration passed) {
    rates_.forget(passed);
    const double hours = to_seconds(std::min(passed, kLongestCounted)) / 3600;
    std::set<std::string> still_there;
    for (const auto& [name, state] : cluster_.our_claims()) {
        const api::NodeClaim& claim = state.claim;
        if (taken_back_.contains(claim.meta.uid)) still_there.insert(claim.meta.uid);
        if (is_on_spot(claim) && !claim.provider_id.empty()) rates_.note_run(spot_key_of(claim), hours);
    }
    taken_back_ = std::move(still_there);
}

void SpotPrices::follow() {
    followed_changes_ = changes_;
    ++version_;
    some_cost_ = std::any_of(rates_.seen().begin(), rates_.seen().end(),
                             [&](const auto& item) { return rates_.excess(item.first) > 0; });
    if (!some_cost_) priced_.clear();
}

}  // namespace joiner::control
