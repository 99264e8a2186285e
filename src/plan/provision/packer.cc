#include "plan/provision/packer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kLanes = 4;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Indexes = int __attribute__((vector_size(kLanes * sizeof(int))));
constexpr float kNeverFits = std::numeric_limits<float>::infinity();
constexpr std::size_t kNobody = ~std::size_t{0};
constexpr std::size_t kManyLive = 32;  // With fewer, dropping some costs more than looking at all.

}  // namespace

Packer::Packer(const Market& market)
    : market_(market),
      n_(market.dimensions()),
      free_(n_),
      used_(n_),
      kinds_(market.kind_words()),
      cap_used_(market.problem().caps().size(), 0),
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
    for (const CapId cap : touched_caps_) cap_used_[cap] = 0;
    touched_caps_.clear();
    crowds_.clear();
}

bool Packer::joins(LotIndex lot) const {
    const Lot& own = market_.lots()[lot];
    if (market_.some_open() && !market_.is_bin(offer_)) {
        const OpenId open = market_.open(own.kind, market_.offers()[offer_].pool);
        if (open != 0 && market_.problem().merge(open_, open) == kOpenConflict) return false;
    }

    return company_room(lot) > 0;
}

// How many more pods of the lot its caps and the crowds that stand there let in.
std::uint32_t Packer::company_room(LotIndex lot) const {
    const Problem& problem = market_.problem();
    if (const CrowdId own = market_.crowd(lot); own != 0) {
        for (const CrowdId crowd : crowds_) {
            if (!problem.may_share(crowd, own)) return 0;
        }
    }
    std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
    for (const CapId cap : market_.caps(lot))
        most = std::min(most, problem.caps()[cap] - std::min(problem.caps()[cap], cap_used_[cap]));
    return most;
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
    if (market_.some_open() && !market_.is_bin(offer_)) {
        open_ = market_.problem().merge(open_, market_.open(own.kind, market_.offers()[offer_].pool));
    }
    for (const CapId cap : market_.caps(lot)) {
        if (cap_used_[cap] == 0) touched_caps_.push_back(cap);
        cap_used_[cap] += count;
    }
    const CrowdId crowd = market_.crowd(lot);
    if (crowd != 0 && std::find(crowds_.begin(), crowds_.end(), crowd) == crowds_.end())
        crowds_.push_back(crowd);
}

bool Packer::put(Ware& ware, std::uint32_t count) {
    if (ware.available < count || !market_.admits(offer_, market_.lots()[ware.lot].kind)) return false;
    for (std::size_t d = 0; d < n_; ++d) {
        if (count * market_.request(ware.lot)[d] > free_[d]) return false;
    }
    if (is_social_[ware.lot]) {
        if (!joins(ware.lot)) return false;
        if (company_room(ware.lot) < count) return false;
    }
    add(ware.lot, count);
    ware.available -= count;
    return true;
}

void Packer::pour(std::span<Ware> wares, const double* worth) {
    switch (n_) {
        case 1:
            return pour_by<1>(wares, worth);
        case 2:
            return pour_by<2>(wares, worth);
        case 3:
            return pour_by<3>(wares, worth);
        case 4:
            return pour_by<4>(wares, worth);
        default:
            return pour_by<kMaxDimensions>(wares, worth);
    }
}

void Packer::list_live(std::span<Ware> wares, const double* worth) {
    live_.clear();
    for (std::uint32_t i = 0; i < wares.size(); ++i) {
        const Ware& ware = wares[i];
        if (ware.available == 0) continue;
        if (market_.kinds() > 1 && !market_.admits(offer_, market_.lots()[ware.lot].kind)) continue;
        const double* request = market_.request(ware.lot);
        bool fits = true;
        for (std::size_t d = 0; d < n_; ++d) fits &= request[d] <= free_[d];
        if (fits && (take_.empty() || !is_social_[ware.lot] || joins(ware.lot))) live_.push_back(i);
    }
    // A block more than is needed: the tail is filled with what never fits.
    stride_ = (live_.size() / kLanes + 1) * kLanes;
    values_.resize(stride_ * n_);
    tilts_.resize(stride_);
    bonuses_.resize(stride_);
    for (std::size_t d = 0; d < n_; ++d) {
        float* values = &values_[d * stride_];
        for (std::size_t i = 0; i < live_.size(); ++i)
            values[i] = static_cast<float>(market_.request(wares[live_[i]].lot)[d] * worth[d]);
        std::fill(values + live_.size(), values + stride_, kNeverFits);
    }
    for (std::size_t i = 0; i < live_.size(); ++i) {
        tilts_[i] = static_cast<float>(wares[live_[i]].tilt);
        bonuses_[i] = static_cast<float>(wares[live_[i]].bonus);
    }
    std::fill(tilts_.begin() + static_cast<std::ptrdiff_t>(live_.size()), tilts_.end(), 0.0F);
    std::fill(bonuses_.begin() + static_cast<std::ptrdiff_t>(live_.size()), bonuses_.end(), 0.0F);
}

// The score is large where |U - u| of what would be left is small: u . (2 U - u), with U the worth of the
// free room by dimension and u that of one pod. Scores are rough (whether the winner fits is asked again,
// exactly), so that many lots are looked at with one instruction.
template <std::size_t N>
std::size_t Packer::best_live(const double* worth, std::size_t& fitting) const {
    const std::size_t n = N <= 4 ? N : n_;
    std::array<Floats, N> room{};
    for (std::size_t d = 0; d < n; ++d) room[d] = Floats{} + rough_room(worth, d);
    Floats best = Floats{} - 1.0F;
    Indexes best_at = Indexes{} - 1;
    Indexes count{};
    Indexes at{};
    for (int lane = 0; lane < static_cast<int>(kLanes); ++lane) at[lane] = lane;
    for (std::size_t i = 0; i < stride_; i += kLanes, at += static_cast<int>(kLanes)) {
        Floats score{};
        Indexes fits = Indexes{} - 1;
        for (std::size_t d = 0; d < n; ++d) {
            Floats value;
            std::memcpy(&value, &values_[d * stride_ + i], sizeof value);
            fits &= value <= room[d];
            score += value * (2 * room[d] - value);
        }
        count -= fits;
        Floats tilt;
        Floats bonus;
        std::memcpy(&tilt, &tilts_[i], sizeof tilt);
        std::memcpy(&bonus, &bonuses_[i], sizeof bonus);
        score = score * tilt + bonus;
        const Indexes is_better = fits & (score > best);
        best = is_better ? score : best;
        best_at = is_better ? at : best_at;
    }
    std::size_t winner = kNobody;
    float most = -1;
    fitting = 0;
    for (int lane = 0; lane < static_cast<int>(kLanes); ++lane) {
        fitting += static_cast<std::size_t>(count[lane]);
        if (best_at[lane] < 0) continue;
        const auto candidate = static_cast<std::size_t>(best_at[lane]);
        if (best[lane] > most || (best[lane] == most && candidate < winner)) {
            most = best[lane];
            winner = candidate;
        }
    }
    return winner;
}

// A hair more than there is, so that rounding never hides what fits exactly.
float Packer::rough_room(const double* worth, std::size_t d) const {
    return static_cast<float>(worth[d] * free_[d] * (1 + 1e-6));
}

// Room only falls, so what does not fit by now need not be looked at again.
void Packer::keep_fitting(const double* worth) {
    kept_.clear();
    for (std::uint32_t i = 0; i < live_.size(); ++i) {
        bool fits = true;
        for (std::size_t d = 0; d < n_; ++d) fits &= values_[d * stride_ + i] <= rough_room(worth, d);
        if (fits) kept_.push_back(i);
    }
    const std::size_t stride = (kept_.size() / kLanes + 1) * kLanes;
    // What is read next stands behind what is written.
    const auto move = [&](auto& list, std::size_t from, std::size_t to) {
        for (std::size_t i = 0; i < kept_.size(); ++i) list[to + i] = list[from + kept_[i]];
    };
    for (std::size_t d = 0; d < n_; ++d) {
        move(values_, d * stride_, d * stride);
        std::fill_n(&values_[d * stride + kept_.size()], stride - kept_.size(), kNeverFits);
    }
    move(tilts_, 0, 0);
    move(bonuses_, 0, 0);
    move(live_, 0, 0);
    std::fill_n(&tilts_[kept_.size()], stride - kept_.size(), 0.0F);
    std::fill_n(&bonuses_[kept_.size()], stride - kept_.size(), 0.0F);
    live_.resize(kept_.size());
    stride_ = stride;
}

// Whoever the pods that stand there by now keep out need not be looked at again.
void Packer::drop_strangers(std::span<const Ware> wares) {
    for (std::size_t i = 0; i < live_.size(); ++i) {
        const LotIndex lot = wares[live_[i]].lot;
        if (is_social_[lot] && values_[i] != kNeverFits && !joins(lot)) values_[i] = kNeverFits;
    }
}

template <std::size_t N>
void Packer::pour_by(std::span<Ware> wares, const double* worth) {
    list_live(wares, worth);
    looks_ += wares.size();
    while (true) {
        looks_ += stride_;
        std::size_t fitting = 0;
        const std::size_t winner = best_live<N>(worth, fitting);
        if (winner == kNobody) return;
        Ware& ware = wares[live_[winner]];
        const double* request = market_.request(ware.lot);
        double fit = ware.available;
        for (std::size_t d = 0; d < n_; ++d) {
            if (request[d] > 0) fit = std::min(fit, std::floor(free_[d] / request[d]));
        }
        std::uint32_t wanted = fit < 1 ? 0 : std::max(1u, static_cast<std::uint32_t>(fit / 2));
        if (is_social_[ware.lot]) wanted = joins(ware.lot) ? std::min(wanted, company_room(ware.lot)) : 0;
        if (wanted > 0) {
            const std::size_t crowds = crowds_.size();
            add(ware.lot, wanted);
            ware.available -= wanted;
            if (is_social_[ware.lot] &&
                (crowds_.size() != crowds || market_.some_open() || company_room(ware.lot) == 0))
                drop_strangers(wares);
        }
        if (wanted == 0 || ware.available == 0) values_[winner] = kNeverFits;
        if (stride_ >= kManyLive && fitting * 2 <= live_.size()) keep_fitting(worth);
    }
}

}  // namespace joiner::plan
