// Which pods go to the room there is, where room holds few pods and the others have to be bought machines.
// Every pod has a price: what one more like it would cost, at most what it costs where it is bought. Rooms
// in turn choose what is worth the most to them by these prices; what is chosen more often than it is there
// grows cheaper, what is chosen less often dearer. Pure.
//
// For any prices from zero to the ceilings, pods cost at least
//
//     sum over pods of their prices  -  sum over rooms of the most that one can hold by these prices
//
// because what stands in a room is worth no more than that, and what does not costs its ceiling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "plan/provision/best_fill.h"
#include "plan/provision/fill_table.h"

namespace joiner::plan {

struct AuctionQuestion {
    std::size_t dimensions = 0;
    std::vector<double> requests;  // Pods alike x dimension.
    std::vector<double> counts;
    std::vector<double> ceilings;  // What one costs that stands in no room; none is zero.
    std::vector<double> rooms;     // Room x dimension, none below zero.
    std::vector<double> times;     // By room: so many are alike.
    std::vector<bool> admits;      // Room x pods alike; empty where all rooms admit all.
};

class RoomAuction {
  public:
    // By room, kinds of pods and counts.
    using Filling = std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>>;

    // `effort`: looks at a pod, at most. `is_late` may be empty.
    RoomAuction(AuctionQuestion question, std::uint64_t effort, std::function<bool()> is_late);

    // Moves the prices; the more rounds the better. After other ceilings fewer will do.
    void bid(int rounds);
    // What all pods cost at least, by the prices found.
    double bound();
    // Others; the prices stay the same part of them.
    void set_ceilings(const std::vector<double>& ceilings);
    // Of the last round, which is no plan: what of each kind the rooms did not choose.
    std::vector<double> outside() const;
    // Pods in rooms by the prices, none more often than there are; prices move meanwhile as long as the
    // effort allows. REQUIRES: every room is there once.
    Filling fill();

    std::uint64_t looks() const { return best_fill_.looks(); }
    bool is_over() const { return looks() >= effort_ || (is_late_ && is_late_()); }

  private:
    void list(std::size_t room, const std::vector<double>& prices, const std::vector<double>& counts);
    void round(const std::vector<std::size_t>& rooms, const std::vector<double>& counts, double step);
    void move(const std::vector<double>& counts, double step, double part);
    double bound_at(const std::vector<double>& prices, FillTable& table, BestFill::Effort effort);
    void shuffle(std::vector<std::size_t>& rooms);
    void polish(Filling& filling, std::vector<double>& left);

    AuctionQuestion q_;
    std::uint64_t effort_;
    std::function<bool()> is_late_;
    std::size_t pods_;
    std::size_t rooms_;
    Rng rng_;
    BestFill best_fill_;
    std::vector<double> prices_;
    std::vector<double> sums_;                // Of the prices at every step of a round.
    std::vector<std::vector<double>> means_;  // Of the last rounds' prices.
    std::vector<double> chosen_;              // In the last round.
    bool is_warm_ = false;                    // Prices have moved before.
};

}  // namespace joiner::plan
