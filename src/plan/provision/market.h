// What the pods may buy, as plain numbers for the passes that look for a low price: only resources that
// someone asks for, only offers that no other offer beats, pods as lots and counts. Made from a Problem for
// the pods that are left; immutable; any thread.
//
//     lot (a class's pods) --- kind (where they may stand) --- offer (one offering of one type in one pool)
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "plan/provision/machine.h"
#include "plan/provision/problem.h"
#include "plan/provision/resource_bound.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {

using LotIndex = std::uint32_t;
using OfferIndex = std::uint32_t;
using KindIndex = std::uint32_t;

// Bits by KindIndex.
using KindWord = std::uint64_t;

struct Lot {
    std::uint32_t pod_class = 0;
    KindIndex kind = 0;
    std::uint32_t count = 0;
};

// Room that there is: a node, or a claim on its way. It costs nothing, and there is one of it.
struct Bin {
    model::RoomIndex room = 0;
    std::vector<double> free;  // By the problem's dimension.
    std::vector<bool> admits;  // By the problem's group.
};

struct Offer {
    model::PoolIndex pool = 0;
    std::uint32_t option = 0;
    std::uint8_t offering = 0;
    // Nano-dollars an hour, with the pool's cost of a node and what it takes of scarce limits; whole, so sums
    // are exact.
    double price = 0;
};

class Market {
  public:
    // `left` counts the pods of each class that are to be placed.
    // `bins` are for the pods of free classes.
    Market(const Problem& problem, const std::vector<Tiers>& tiers, const std::vector<std::uint32_t>& left,
           const std::vector<Bin>& bins);

    const Problem& problem() const { return *problem_; }
    std::size_t dimensions() const { return dimensions_; }
    std::size_t problem_dimension(std::size_t own) const { return dimension_of_[own]; }
    const std::vector<Lot>& lots() const { return lots_; }
    const std::vector<Offer>& offers() const { return offers_; }  // Cheapest first.
    // Bins have the numbers after those of offers, for room(), kinds_of() and admits().
    std::size_t bins() const { return bins_.size(); }
    OfferIndex bin(std::size_t i) const { return static_cast<OfferIndex>(offers_.size() + i); }
    bool is_bin(OfferIndex offer) const { return offer >= offers_.size(); }
    model::RoomIndex room_of_bin(OfferIndex bin) const { return bins_[bin - offers_.size()]; }
    double price(OfferIndex offer) const { return is_bin(offer) ? 0 : offers_[offer].price; }

    const double* request(LotIndex lot) const { return &requests_[lot * dimensions_]; }
    const double* room(OfferIndex offer) const { return &rooms_[offer * dimensions_]; }

    std::size_t kinds() const { return alternatives_.size(); }
    std::size_t kind_words() const { return kind_words_; }
    const KindWord* kinds_of(OfferIndex offer) const { return &kinds_of_[offer * kind_words_]; }
    bool admits(OfferIndex offer, KindIndex kind) const {
        return kinds_of(offer)[kind / 64] >> (kind % 64) & 1;
    }
    bool admits_all(OfferIndex offer, const KindWord* wanted) const {
        const KindWord* own = kinds_of(offer);
        for (std::size_t w = 0; w < kind_words_; ++w) {
            if (wanted[w] & ~own[w]) return false;
        }
        return true;
    }
    // The constraint alternative by which a kind stands on its pools, and its requirements that no type
    // decides.
    std::uint32_t alternative(KindIndex kind) const { return alternatives_[kind]; }
    OpenId open(KindIndex kind, model::PoolIndex pool) const { return opens_[kind * pools_ + pool]; }
    bool some_open() const { return some_open_; }
    // Kinds with the fewest offers first: what has little choice chooses first.
    const std::vector<KindIndex>& scarce_first() const { return scarce_first_; }

    std::span<const CapId> caps(LotIndex lot) const { return problem_->classes()[lots_[lot].pod_class].caps; }
    CrowdId crowd(LotIndex lot) const { return problem_->classes()[lots_[lot].pod_class].crowd; }
    bool has_caps() const { return has_caps_; }
    bool has_crowds() const { return has_crowds_; }

    // What a machine of the offer counts against its pool's limits, and what the limits leave.
    bool has_limits() const { return has_limits_; }

    // One column an offer. With a slot the last dimension is 1 for every machine: it prices the number of
    // machines.
    ResourceColumns columns(bool with_slot) const;

  private:
    void find_dimensions(const std::vector<std::uint32_t>& left);
    void make_lots(const std::vector<Tiers>& tiers, const std::vector<std::uint32_t>& left,
                   const std::vector<Bin>& bins);
    void make_offers();
    void drop_dominated();
    void add_bins(const std::vector<Bin>& bins);

    const Problem* problem_;
    std::size_t pools_;
    std::size_t dimensions_ = 0;
    std::vector<std::size_t> dimension_of_;  // The Problem's dimension by our own.
    std::vector<Lot> lots_;
    std::vector<double> requests_;
    std::vector<Offer> offers_;
    std::vector<model::RoomIndex> bins_;
    std::vector<double> rooms_;
    std::size_t kind_words_ = 0;
    std::vector<KindWord> kinds_of_;
    std::vector<std::uint32_t> alternatives_;
    std::vector<std::uint32_t> example_group_;  // A group of the kind.
    std::vector<bool> is_free_;                 // By kind.
    std::vector<bool> on_pool_;                 // Kind x pool: in the kind's first tier.
    std::vector<OpenId> opens_;
    std::vector<KindIndex> scarce_first_;
    bool some_open_ = false;
    bool has_caps_ = false;
    bool has_crowds_ = false;
    bool has_limits_ = false;
};

}  // namespace joiner::plan
