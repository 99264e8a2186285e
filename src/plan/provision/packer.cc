#include "plan/provision/packer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "base/check.h"

namespace joiner::plan {

Packer::Packer(const Market& market)
    : market_(market),
      n_(market.dimensions()),
      free_(n_),
      used_(n_),
      kinds_(market.kind_words()),
      is_social_(market.lots().size(), false),
      take_at_(market.lots().size(), 0) {
    CHECK(n_ <= kMaxDimensions);
    for (LotIndex lot = 0; lot < market.lots().size(); ++lot) {
        is_social_[lot] = !market.caps(lot).empty() || market.crowd(lot) != 0 || market.some_open();
    }
}

void Packer::begin(OfferIndex offer) {
    offer_ = offer;
    std::copy_n(market_.room(offer), n_, free_.begin());
    std::fill(used_.begin(), used_.end(), 0.0);
    std::fill(kinds_.begin(), kinds_.end(), 0);
    for (const Take& take : take_) take_at_[take.lot] = 0;
    take_.clear();
    open_ = 0;
    if (market_.has_caps() || market_.has_crowds()) company_ = {};
}

bool Packer::joins(LotIndex lot) const {
    const Lot& own = market_.lots()[lot];
    if (market_.some_open()) {
        const OpenId open = market_.open(own.kind, market_.offers()[offer_].pool);
        if (open != 0 && market_.problem().merge(open_, open) == kOpenConflict) return false;
    }
    if (!market_.has_caps() && !market_.has_crowds()) return true;
    return company_.room_for(market_.problem(), market_.problem().classes()[own.pod_class]) > 0;
}

void Packer::add(LotIndex lot, std::uint32_t count) {
    const double* request = market_.request(lot);
    for (std::size_t d = 0; d < n_; ++d) {
        used_[d] += count * request[d];
        free_[d] -= count * request[d];
    }
    const Lot& own = market_.lots()[lot];
    kinds_[own.kind / 64] |= KindWord{1} << (own.kind % 64);
    if (take_at_[lot] == 0) {
        take_.push_back({lot, 0});
        take_at_[lot] = static_cast<std::uint32_t>(take_.size());
    }
    take_[take_at_[lot] - 1].count += count;
    if (!is_social_[lot]) return;
    if (market_.some_open()) {
        open_ = market_.problem().merge(open_, market_.open(own.kind, market_.offers()[offer_].pool));
    }
    if (market_.has_caps() || market_.has_crowds())
        company_.add(market_.problem().classes()[own.pod_class], count);
}

bool Packer::put(Ware& ware, std::uint32_t count) {
    if (ware.available < count || !market_.admits(offer_, market_.lots()[ware.lot].kind)) return false;
    for (std::size_t d = 0; d < n_; ++d) {
        if (count * market_.request(ware.lot)[d] > free_[d]) return false;
    }
    if (is_social_[ware.lot]) {
        if (!joins(ware.lot)) return false;
        const PodClass& pod_class = market_.problem().classes()[market_.lots()[ware.lot].pod_class];
        if (company_.room_for(market_.problem(), pod_class) < count) return false;
    }
    add(ware.lot, count);
    ware.available -= count;
    return true;
}

void Packer::pour(std::span<Ware> wares, const double* worth) {
    if (n_ <= 3) {
        pour_by<3>(wares, worth);
    } else if (n_ == 4) {
        pour_by<4>(wares, worth);
    } else {
        pour_by<kMaxDimensions>(wares, worth);
    }
}

// The score is large where the worths |U - u| of what would be left is small: u . (2 U - u), with U the worth
// of the free room by dimension and u that of one pod.
template <std::size_t N>
void Packer::pour_by(std::span<Ware> wares, const double* worth) {
    struct Live {
        std::array<double, N> request;
        std::array<double, N> value;
        double bonus;
        std::uint32_t available;
        std::uint32_t index;
    };
    const std::size_t n = N <= 4 ? N : n_;
    std::array<double, N> free{};
    std::array<double, N> unit{};
    for (std::size_t d = 0; d < n_; ++d) {
        free[d] = free_[d];
        unit[d] = worth[d];
    }
    if (live_.size() < wares.size() * sizeof(Live) + alignof(Live)) {
        live_.resize(wares.size() * sizeof(Live) + alignof(Live));
    }
    void* storage = live_.data();
    std::size_t space = live_.size();
    Live* const live =
        static_cast<Live*>(std::align(alignof(Live), wares.size() * sizeof(Live), storage, space));
    std::size_t count = 0;
    for (std::size_t i = 0; i < wares.size(); ++i) {
        const Ware& ware = wares[i];
        if (ware.available == 0 || !market_.admits(offer_, market_.lots()[ware.lot].kind)) continue;
        const double* request = market_.request(ware.lot);
        bool fits = true;
        for (std::size_t d = 0; d < n_; ++d) fits &= request[d] <= free[d];
        if (!fits || (is_social_[ware.lot] && !joins(ware.lot))) continue;
        Live& one = *new (&live[count++]) Live{};
        for (std::size_t d = 0; d < n_; ++d) {
            one.request[d] = request[d];
            one.value[d] = request[d] * unit[d] * ware.tilt;
        }
        one.bonus = ware.bonus;
        one.available = ware.available;
        one.index = static_cast<std::uint32_t>(i);
    }
    looks_ += wares.size();
    bool company_changed = false;
    while (count > 0) {
        looks_ += count;
        std::array<double, N> room_worth{};
        for (std::size_t d = 0; d < n; ++d) room_worth[d] = 2 * unit[d] * free[d];
        double best_score = -std::numeric_limits<double>::infinity();
        std::size_t best = 0;
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Live& one = live[i];
            bool fits = one.available > 0;
            double score = one.bonus;
            for (std::size_t d = 0; d < n; ++d) {
                fits &= one.request[d] <= free[d];
                score += one.value[d] * (room_worth[d] - one.value[d]);
            }
            if (!fits) continue;
            if (company_changed && is_social_[wares[one.index].lot] && !joins(wares[one.index].lot)) continue;
            if (score > best_score) {
                best_score = score;
                best = kept;
            }
            if (kept != i) live[kept] = one;
            ++kept;
        }
        count = kept;
        if (count == 0) break;
        Live& one = live[best];
        double fit = one.available;
        for (std::size_t d = 0; d < n; ++d) {
            if (one.request[d] > 0) fit = std::min(fit, std::floor(free[d] / one.request[d]));
        }
        Ware& ware = wares[one.index];
        std::uint32_t wanted = std::max(1u, static_cast<std::uint32_t>(fit / 2));
        company_changed = is_social_[ware.lot];
        if (company_changed) {
            const PodClass& pod_class = market_.problem().classes()[market_.lots()[ware.lot].pod_class];
            wanted = std::min(wanted, company_.room_for(market_.problem(), pod_class));
        }
        for (std::size_t d = 0; d < n; ++d) free[d] -= wanted * one.request[d];
        one.available -= wanted;
        ware.available -= wanted;
        add(ware.lot, wanted);
    }
}

}  // namespace joiner::plan
