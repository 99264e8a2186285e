// What may be bought for the pods that a search looks at just now: the offers that admit them, by price and
// by what they are worth for it. Pure; one owner.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/rng.h"
#include "plan/provision/market.h"

namespace joiner::plan {

class OfferFocus {
  public:
    static constexpr OfferIndex kNone = ~0u;

    // `worth` of a unit of each dimension, and of a machine where it goes on.
    OfferFocus(const Market& market, const std::vector<double>& worth);

    // On the offers that admit all of these kinds; false when there are none.
    bool set(const std::vector<KindWord>& kinds);
    bool is_set() const { return now_ != nullptr; }
    // REQUIRES, as all that follow but the last three: is_set().
    bool has(OfferIndex offer) const { return now_->place[offer] != kNone; }
    const std::vector<OfferIndex>& by_price() const { return now_->by_price; }  // Cheapest first.
    // One of the best values, the better the likelier. REQUIRES: there are some.
    OfferIndex some_good(Rng& rng) const;
    // So many places dearer, or cheaper, as far as there are any. REQUIRES: has(offer).
    OfferIndex shifted(OfferIndex offer, std::int64_t by) const;
    // The cheapest whose room is at least `need`, and that costs no more than `most`; or kNone.
    OfferIndex cheapest_with(const double* need, double most) const;

    // Of all offers the cheapest that holds these amounts and admits the kinds; or kNone.
    OfferIndex cheapest_for(const std::vector<double>& used, const std::vector<KindWord>& kinds) const;
    // Of offers and bins: whether they admit the same kinds, or one at least.
    bool are_alike(OfferIndex a, OfferIndex b) const { return sign_[a] == sign_[b]; }
    bool have_common_kind(OfferIndex a, OfferIndex b) const;

  private:
    struct Focus {
        std::vector<OfferIndex> by_price;
        std::vector<OfferIndex> good;
        std::vector<OfferIndex> place;  // By offer: its place in by_price.
    };

    void rank(const std::vector<double>& worth);
    void sign();
    void list(const std::vector<KindWord>& kinds, Focus& focus) const;
    bool holds(OfferIndex offer, const double* amounts) const;

    const Market& market_;
    std::vector<OfferIndex> by_value_;  // All.
    std::vector<OfferIndex> sign_;      // The first that admits the same kinds.
    std::map<std::vector<KindWord>, Focus> known_;
    const Focus* now_ = nullptr;
};

}  // namespace joiner::plan
