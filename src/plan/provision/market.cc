#include "plan/provision/market.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "plan/provision/limits.h"

namespace joiner::plan {

Market::Market(const Problem& problem, const std::vector<Tiers>& tiers,
               const std::vector<std::uint32_t>& left, const std::vector<Bin>& bins)
    : problem_(&problem), pools_(problem.pools().size()) {
    find_dimensions(left);
    make_lots(tiers, left, bins);
    make_offers();
    drop_dominated();
    add_bins(bins);
}

// What nobody asks for cannot run out.
void Market::find_dimensions(const std::vector<std::uint32_t>& left) {
    std::vector<bool> asked(problem_->dimensions(), false);
    for (std::size_t c = 0; c < left.size(); ++c) {
        if (left[c] == 0) continue;
        for (std::size_t d = 0; d < asked.size(); ++d)
            asked[d] = asked[d] || problem_->classes()[c].request[d] > 0;
    }
    for (std::size_t d = 0; d < asked.size(); ++d) {
        if (asked[d]) dimension_of_.push_back(d);
    }
    dimensions_ = dimension_of_.size();
}

void Market::make_lots(const std::vector<Tiers>& tiers, const std::vector<std::uint32_t>& left,
                       const std::vector<Bin>& bins) {
    using Place = std::tuple<std::uint32_t, std::uint32_t, std::vector<model::PoolIndex>, bool>;
    std::map<Place, KindIndex> kind_of_place;
    // Groups that match alike are one kind.
    std::map<std::vector<std::uint64_t>, KindIndex> kind_of_content;
    for (std::uint32_t c = 0; c < left.size(); ++c) {
        if (left[c] == 0 || tiers[c].empty()) continue;
        const PodClass& pod_class = problem_->classes()[c];
        const Tier& tier = tiers[c].front();
        const bool is_free = !bins.empty() && pod_class.is_free;
        const auto [place, is_new] =
            kind_of_place.try_emplace({pod_class.group, tier.alternative, tier.pools, is_free}, 0);
        if (is_new) {
            std::vector<std::uint64_t> content{tier.alternative};
            for (const model::PoolIndex pool : tier.pools) {
                const Match& match = problem_->groups()[pod_class.group].matches[tier.alternative][pool];
                content.push_back(pool);
                content.push_back(match.open);
                content.insert(content.end(), match.masks.begin(), match.masks.end());
            }
            content.push_back(is_free ? 1 : 0);
            for (const Bin& bin : bins) content.push_back(is_free && bin.admits[pod_class.group] ? 1 : 0);
            const auto [kind, is_new_kind] =
                kind_of_content.try_emplace(std::move(content), static_cast<KindIndex>(alternatives_.size()));
            if (is_new_kind) {
                alternatives_.push_back(tier.alternative);
                example_group_.push_back(pod_class.group);
                is_free_.push_back(is_free);
                on_pool_.resize(on_pool_.size() + pools_, false);
                opens_.resize(opens_.size() + pools_, 0);
                for (const model::PoolIndex pool : tier.pools) {
                    const OpenId open =
                        problem_->groups()[pod_class.group].matches[tier.alternative][pool].open;
                    on_pool_[kind->second * pools_ + pool] = true;
                    opens_[kind->second * pools_ + pool] = open;
                    some_open_ = some_open_ || open != 0;
                }
            }
            place->second = kind->second;
        }
        lots_.push_back({c, place->second, left[c]});
        for (const std::size_t d : dimension_of_) requests_.push_back(pod_class.request[d]);
        has_caps_ = has_caps_ || !pod_class.caps.empty();
        has_crowds_ = has_crowds_ || pod_class.crowd != 0;
    }
    kind_words_ = (kinds() + 63) / 64;
}

void Market::make_offers() {
    std::vector<std::uint64_t> choices(kinds(), 0);
    std::vector<KindWord> own(kind_words_);
    const Limits limits(*problem_);
    for (model::PoolIndex pool = 0; pool < pools_; ++pool) {
        const PoolOptions& options = problem_->pools()[pool];
        const model::PoolView& view = problem_->snapshot().pools[pool];
        has_limits_ = has_limits_ || !view.remaining.empty();
        std::vector<std::pair<KindIndex, const Match*>> here;
        for (KindIndex k = 0; k < kinds(); ++k) {
            if (on_pool_[k * pools_ + pool])
                here.emplace_back(k, &problem_->groups()[example_group_[k]].matches[alternatives_[k]][pool]);
        }
        for (std::uint32_t t = 0; t < options.types.size() && !here.empty(); ++t) {
            if (!limits.allow(pool, t)) continue;
            const TypeOption& option = options.types[t];
            const std::size_t first = offers_.size();
            for (const std::uint8_t bit : option.order) {
                std::fill(own.begin(), own.end(), 0);
                bool any = false;
                for (const auto& [k, match] : here) {
                    if ((match->masks[t] >> bit & 1) == 0) continue;
                    own[k / 64] |= KindWord{1} << (k % 64);
                    ++choices[k];
                    any = true;
                }
                // Of one type, a dearer offering is only of use to kinds that no cheaper one admits together.
                bool is_new = any;
                for (std::size_t j = first; j < offers_.size() && is_new; ++j)
                    is_new = !admits_all(static_cast<OfferIndex>(j), own.data());
                if (!is_new) continue;
                const rules::Money price = problem_->offering(pool, option, bit).cost() + view.node_cost;
                offers_.push_back(
                    {pool, t, bit, static_cast<double>(price.nanos) + problem_->surcharge(pool, t)});
                kinds_of_.insert(kinds_of_.end(), own.begin(), own.end());
                for (const std::size_t d : dimension_of_)
                    rooms_.push_back(std::max(0.0, options.room[t * problem_->dimensions() + d]));
            }
        }
    }
    scarce_first_.resize(kinds());
    std::iota(scarce_first_.begin(), scarce_first_.end(), 0u);
    std::stable_sort(scarce_first_.begin(), scarce_first_.end(),
                     [&](KindIndex a, KindIndex b) { return choices[a] < choices[b]; });
}

// An offer is dropped when another is no dearer, holds no less and admits every kind it admits; under limits
// the other must also count for no more. The dropped come back as stand-ins when the launch is widened.
void Market::drop_dominated() {
    std::vector<OfferIndex> order(offers_.size());
    std::iota(order.begin(), order.end(), 0u);
    const auto name = [&](const Offer& o) -> const std::string& {
        return problem_->type(o.pool, problem_->pools()[o.pool].types[o.option]).name;
    };
    std::sort(order.begin(), order.end(), [&](OfferIndex a, OfferIndex b) {
        const Offer& x = offers_[a];
        const Offer& y = offers_[b];
        if (x.price != y.price) return x.price < y.price;
        // The larger first, so that of equal prices it is the one kept.
        const double room_x = std::accumulate(room(a), room(a) + dimensions_, 0.0);
        const double room_y = std::accumulate(room(b), room(b) + dimensions_, 0.0);
        return std::tuple(-room_x, std::string_view(name(x)), x.pool, a) <
               std::tuple(-room_y, std::string_view(name(y)), y.pool, b);
    });
    const auto counts_for_no_more = [&](const Offer& a, const Offer& b) {
        const bool is_limited = !problem_->snapshot().pools[a.pool].remaining.empty();
        return !is_limited || (a.pool == b.pool && problem_->counts_for_no_more(a.pool, a.option, b.option));
    };
    std::vector<OfferIndex> kept;
    for (const OfferIndex b : order) {
        const bool is_dominated = std::any_of(kept.begin(), kept.end(), [&](OfferIndex a) {
            for (std::size_t d = 0; d < dimensions_; ++d) {
                if (room(a)[d] < room(b)[d]) return false;
            }
            return admits_all(a, kinds_of(b)) && counts_for_no_more(offers_[a], offers_[b]);
        });
        if (!is_dominated) kept.push_back(b);
    }
    std::vector<Offer> offers;
    std::vector<double> rooms;
    std::vector<KindWord> kinds_of_kept;
    for (const OfferIndex j : kept) {
        offers.push_back(offers_[j]);
        rooms.insert(rooms.end(), room(j), room(j) + dimensions_);
        kinds_of_kept.insert(kinds_of_kept.end(), kinds_of(j), kinds_of(j) + kind_words_);
    }
    offers_ = std::move(offers);
    rooms_ = std::move(rooms);
    kinds_of_ = std::move(kinds_of_kept);
}

void Market::add_bins(const std::vector<Bin>& bins) {
    for (const Bin& bin : bins) {
        std::vector<KindWord> own(kind_words_, 0);
        for (KindIndex k = 0; k < kinds(); ++k) {
            if (is_free_[k] && bin.admits[example_group_[k]]) own[k / 64] |= KindWord{1} << (k % 64);
        }
        bins_.push_back(bin.room);
        kinds_of_.insert(kinds_of_.end(), own.begin(), own.end());
        for (const std::size_t d : dimension_of_) rooms_.push_back(std::max(0.0, bin.free[d]));
    }
}

ResourceColumns Market::columns(bool with_slot) const {
    ResourceColumns out;
    out.dimensions = dimensions_ + (with_slot ? 1 : 0);
    for (OfferIndex j = 0; j < offers_.size(); ++j) {
        out.prices.push_back(offers_[j].price);
        out.capacities.insert(out.capacities.end(), room(j), room(j) + dimensions_);
        if (with_slot) out.capacities.push_back(1);
    }
    return out;
}

}  // namespace joiner::plan
