// Fills one machine: again and again a part of the lot whose worth is large and points where the worth of the
// room that is left points. The innermost loop of planning: no allocation once it is warm. One owner.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/provision/draft.h"
#include "plan/provision/market.h"

namespace joiner::plan {

// A lot one may take from.
struct Ware {
    LotIndex lot = 0;
    std::uint32_t available = 0;
    double tilt = 1;   // Its worth is looked at so many times enlarged.
    double bonus = 0;  // Added to its score: what its place on a machine is worth besides its resources.
};

class Packer {
  public:
    static constexpr std::size_t kMaxDimensions = 16;

    explicit Packer(const Market& market);

    // A new, empty machine of the offer.
    void begin(OfferIndex offer);
    // Takes what it can of `wares` by `worth` (of a unit of each dimension) and lowers `available`. Wares
    // whose kind the offer does not admit are passed over.
    void pour(std::span<Ware> wares, const double* worth);
    // Exactly one pod, if it has a place.
    bool put(Ware& ware, std::uint32_t count);

    const std::vector<Take>& take() const { return take_; }
    const std::vector<double>& used() const { return used_; }
    const std::vector<KindWord>& kinds() const { return kinds_; }
    // How many looks at a ware were taken since the beginning: the measure of work, the same on every
    // machine.
    std::uint64_t looks() const { return looks_; }

  private:
    template <std::size_t N>
    void pour_by(std::span<Ware> wares, const double* worth);
    template <std::size_t N>
    std::size_t best_live(const double* worth, std::size_t& fitting) const;
    void keep_fitting(const double* worth);
    float rough_room(const double* worth, std::size_t d) const;
    void list_live(std::span<Ware> wares, const double* worth);
    void drop_strangers(std::span<const Ware> wares);
    bool joins(LotIndex lot) const;
    std::uint32_t company_room(LotIndex lot) const;
    void add(LotIndex lot, std::uint32_t count);

    const Market& market_;
    std::size_t n_;
    OfferIndex offer_ = 0;
    std::vector<double> free_;
    std::vector<double> used_;
    std::vector<Take> take_;
    std::vector<KindWord> kinds_;
    OpenId open_ = 0;
    std::vector<std::uint32_t> cap_used_;  // By CapId.
    std::vector<CapId> touched_caps_;
    std::vector<CrowdId> crowds_;         // That stand there.
    std::vector<bool> is_social_;         // By lot: has caps, a crowd or open requirements.
    std::vector<std::uint32_t> take_at_;  // By lot: its place in take_, plus one.
    // Of one pouring: wares that still fit, and some that do not, and by dimension what one pod of each is
    // worth.
    std::vector<std::uint32_t> live_;
    std::vector<std::uint32_t> kept_;
    std::size_t stride_ = 0;
    std::vector<float> values_;
    std::vector<float> tilts_;
    std::vector<float> bonuses_;
    std::uint64_t looks_ = 0;
};

}  // namespace joiner::plan
