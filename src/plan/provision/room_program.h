// Which pods go to the room there is, where room holds few pods and the others have to be bought machines: a
// linear program over what each room can hold and over machines cut to any size. Pure.
//
// A pod has a price, at most what it costs where it is bought (its ceiling, ceilings.h). For any such prices
// pods cost at least
//
//     sum over pods of their prices  -  sum over rooms of the most that one can hold by these prices
//
// because what stands in a room is worth no more than that, and what does not costs its ceiling. The program
// finds the best prices, and with them what every room holds, most of it whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "plan/provision/best_fill.h"
#include "plan/provision/choice_program.h"
#include "plan/provision/fill_table.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {

struct RoomQuestion {
    ResourceColumns columns;       // What may be bought.
    std::vector<double> requests;  // Pods alike x dimension.
    std::vector<double> counts;
    std::vector<double> rooms;  // Room x dimension, none below zero.
    std::vector<double> times;  // By room: so many are alike.
    std::vector<bool> admits;   // Room x pods alike; empty where all rooms admit all.
};

struct RoomPrices {
    std::vector<double> pods;  // Of one of each kind.
    std::vector<std::vector<double>>
        units;  // Of what the ceilings are made: by kind of machine and dimension.
};

class RoomProgram {
  public:
    // By room, kinds of pods and counts.
    using Filling = std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>>;

    // `effort`: looks at a pod, at most. `is_late` may be empty.
    RoomProgram(RoomQuestion question, std::uint64_t effort, std::function<bool()> is_late);

    // What all pods cost at least, by these prices or what the ceilings leave of them.
    double bound_at(const RoomPrices& prices);
    // Better prices, until they are the best or the effort is gone. May be asked to go on, with so much more
    // effort.
    void solve();
    void allow_more(std::uint64_t effort, std::function<bool()> is_late);
    bool is_solved() const { return is_solved_; }
    double bound() const { return bound_; }  // The best by now.
    const RoomPrices& prices() const { return prices_; }
    // Pods in rooms by the program, none more often than there are. REQUIRES: every room is there once.
    Filling fill();

    std::uint64_t looks() const { return looks_ + best_fill_.looks(); }
    bool is_over() const { return looks() >= effort_ || (is_late_ && is_late_()); }

  private:
    using Take = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

    void sort_columns();
    void start();
    RoomPrices program_prices() const;
    RoomPrices towards(const RoomPrices& other, double stay) const;
    void bid();
    double value_rooms(const std::vector<double>& values);
    void list(std::size_t room, const std::vector<double>& values, const std::vector<double>& counts);
    bool stands(std::size_t room, const Take& take) const;
    std::size_t add_patterns();
    struct Outside {
        double cost = 0;
        std::vector<double> prices;  // Of one of each kind, by which it is that.
    };
    Outside outside(const std::vector<double>& left, ResourceProgram& resources) const;
    void polish(Filling& filling, std::vector<double>& left);

    RoomQuestion q_;
    std::uint64_t effort_;
    std::function<bool()> is_late_;
    std::size_t n_;
    std::size_t pods_;
    std::size_t rooms_;
    FillTable table_;
    BestFill best_fill_;
    std::uint64_t looks_ = 0;
    std::vector<std::uint32_t> kind_of_;  // By column: kind of machine.
    std::size_t kinds_ = 0;
    std::vector<double> scale_;  // By dimension, so that the program's numbers are of one size.
    std::vector<std::vector<std::size_t>>
        resource_rows_;  // Kind of machine x dimension: of the program, or none.
    std::unique_ptr<ChoiceProgram> program_;
    std::vector<Take> takes_;  // By room, by the prices last looked at.
    RoomPrices prices_;
    std::vector<double> ceilings_;  // By the prices, while rooms are filled.
    double bound_ = 0;
    bool is_solved_ = false;
};

}  // namespace joiner::plan
