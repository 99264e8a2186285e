#include "plan/provision/offer_focus.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace joiner::plan {
namespace {

constexpr std::size_t kGoodOffers = 24;  // That a rebuilding draws from.
constexpr std::size_t kMostKnown = 256;  // Sets of kinds.

}  // namespace

OfferFocus::OfferFocus(const Market& market, const std::vector<double>& worth) : market_(market) {
    rank(worth);
    sign();
}

void OfferFocus::rank(const std::vector<double>& worth) {
    const std::size_t n = market_.dimensions();
    by_value_.resize(market_.offers().size());
    std::iota(by_value_.begin(), by_value_.end(), 0u);
    std::vector<double> cost(by_value_.size());
    for (OfferIndex j = 0; j < cost.size(); ++j) {
        double all = market_.has_caps() ? worth[n] : 0;
        for (std::size_t d = 0; d < n; ++d) all += worth[d] * market_.room(j)[d];
        cost[j] = all > 0 ? market_.price(j) / all : std::numeric_limits<double>::infinity();
    }
    std::stable_sort(by_value_.begin(), by_value_.end(),
                     [&](OfferIndex a, OfferIndex b) { return cost[a] < cost[b]; });
}

void OfferFocus::sign() {
    for (OfferIndex j = 0; j < market_.offers().size() + market_.bins(); ++j) {
        OfferIndex first = 0;
        while (!std::equal(market_.kinds_of(first), market_.kinds_of(first) + market_.kind_words(),
                           market_.kinds_of(j)))
            ++first;
        sign_.push_back(first);
    }
}

// The same few come again and again where zones keep pods apart.
bool OfferFocus::set(const std::vector<KindWord>& kinds) {
    if (known_.size() >= kMostKnown && !known_.contains(kinds)) known_.clear();
    const auto [it, is_new] = known_.try_emplace(kinds);
    if (is_new) list(kinds, it->second);
    now_ = &it->second;
    return !now_->by_price.empty();
}

void OfferFocus::list(const std::vector<KindWord>& kinds, Focus& focus) const {
    focus.place.assign(market_.offers().size(), kNone);
    for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
        if (!market_.admits_all(j, kinds.data())) continue;
        focus.place[j] = static_cast<OfferIndex>(focus.by_price.size());
        focus.by_price.push_back(j);
    }
    for (std::size_t i = 0; i < by_value_.size() && focus.good.size() < kGoodOffers; ++i) {
        if (focus.place[by_value_[i]] != kNone) focus.good.push_back(by_value_[i]);
    }
}

OfferIndex OfferFocus::some_good(Rng& rng) const {
    const double x = rng.unit();
    return now_->good[static_cast<std::size_t>(x * x * static_cast<double>(now_->good.size()))];
}

OfferIndex OfferFocus::shifted(OfferIndex offer, std::int64_t by) const {
    const std::int64_t last = static_cast<std::int64_t>(now_->by_price.size()) - 1;
    return now_
        ->by_price[static_cast<std::size_t>(std::clamp<std::int64_t>(now_->place[offer] + by, 0, last))];
}

bool OfferFocus::holds(OfferIndex offer, const double* amounts) const {
    const double* room = market_.room(offer);
    bool holds = true;
    for (std::size_t d = 0; d < market_.dimensions(); ++d) holds &= amounts[d] <= room[d];
    return holds;
}

OfferIndex OfferFocus::cheapest_with(const double* need, double most) const {
    for (const OfferIndex j : now_->by_price) {
        if (market_.price(j) > most) break;
        if (holds(j, need)) return j;
    }
    return kNone;
}

OfferIndex OfferFocus::cheapest_for(const std::vector<double>& used,
                                    const std::vector<KindWord>& kinds) const {
    for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
        if (holds(j, used.data()) && market_.admits_all(j, kinds.data())) return j;
    }
    return kNone;
}

bool OfferFocus::have_common_kind(OfferIndex a, OfferIndex b) const {
    if (are_alike(a, b)) return true;
    for (std::size_t w = 0; w < market_.kind_words(); ++w) {
        if (market_.kinds_of(a)[w] & market_.kinds_of(b)[w]) return true;
    }
    return false;
}

}  // namespace joiner::plan
