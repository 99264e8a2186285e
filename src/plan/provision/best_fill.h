// What fills one room best: of pods with values the choice that is worth the most, by a search in depth, and
// a number that no choice is worth more than, however early the search ends. Scratch is kept between rooms.
// Pure. One owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace joiner::plan {

class BestFill {
  public:
    struct Effort {
        double slack = 0;         // What gains less than this part is not looked at.
        std::uint64_t steps = 0;  // Pods put in, at most.
    };

    explicit BestFill(std::size_t dimensions);

    // The room, then the pods that may stand in it; those that do not fit are passed over. `request` must
    // live until find() ends.
    void begin(const double* room);
    void add(std::uint32_t id, const double* request, double value, std::uint32_t count);
    // Returns what no choice is worth more than.
    double find(Effort effort);

    double value() const { return most_; }
    // Ids and counts of the best choice seen.
    const std::vector<std::pair<std::uint32_t, std::uint32_t>>& take() const { return take_; }
    // Steps of all searches, and looks at a pod before them: the measure of work.
    std::uint64_t looks() const { return looks_; }

  private:
    struct Item {
        std::uint32_t id = 0;
        const double* request = nullptr;
        double value = 0;
        std::uint32_t count = 0;
        double rate = 0;  // Value for a part of the room, its dimensions weighed.
    };

    void list_scarce();
    void weigh();
    void list_amounts();
    template <std::size_t N>
    void search(std::size_t k, double value, const double* free);

    std::size_t n_;
    std::vector<double> room_;
    std::vector<Item> items_;          // The best rate first.
    std::vector<std::size_t> scarce_;  // Dimensions that can be used up.
    std::vector<double> filled_;
    std::vector<double> weights_;  // By place in scarce_.
    std::vector<double> costs_;    // Item x the two dimensions that are weighed.
    // By item: its request in every scarce dimension; the most that it and those after it give for a unit
    // of each.
    std::vector<double> requests_;
    std::vector<double> rates_;
    Effort effort_;

    // Of one search.
    std::vector<std::uint32_t> counts_;
    std::vector<std::uint32_t> best_counts_;
    double most_ = 0;
    double missed_ = 0;  // No choice that was not looked at is worth more.
    std::uint64_t steps_ = 0;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> take_;
    std::uint64_t looks_ = 0;
};

}  // namespace joiner::plan
