// What the pods worth the most in a room are worth, for all small rooms at once: a table over what two
// resources of a room may be, in steps that all requests are multiples of. Where they are not, requests are
// counted as a little less; the other resources are not looked at. So it never says too little. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace joiner::plan {

struct FillQuestion {
    std::size_t dimensions = 0;
    const std::vector<double>* requests = nullptr;  // Pods alike x dimension, whole numbers.
    const std::vector<double>* counts = nullptr;
    const std::vector<double>* rooms = nullptr;  // Room x dimension.
};

class FillTable {
  public:
    explicit FillTable(const FillQuestion& question);

    // Of a pod of each kind.
    void set_values(const std::vector<double>& values);
    // What no choice of pods in the room is worth more than; infinity where the room is too large.
    // REQUIRES: set_values().
    double most(std::size_t room) const;
    // Pods that are worth most() there, or a little less where there are few of a kind; they have room as far
    // as the table looks. REQUIRES: most() is finite.
    std::vector<std::pair<std::uint32_t, std::uint32_t>> read(std::size_t room) const;
    // Whether it says exactly what most() is, but for the other resources.
    bool is_exact() const { return is_exact_; }
    // What set_values() costs, in looks at a pod; 0 where no room is small enough.
    std::uint64_t looks() const { return looks_; }

  private:
    struct Item {
        std::uint32_t pod = 0;
        std::size_t rows = 0;  // Steps that it takes of either resource.
        std::size_t columns = 0;
        std::uint32_t times = 0;    // As often as it fits, or there are so many.
        bool fits_no_more = false;  // There are as many as fit.
    };

    std::vector<std::size_t> scarce_dimensions() const;
    double step_of(std::size_t dimension);
    void put(const Item& item, double value);

    FillQuestion q_;
    std::size_t rows_ = 0;  // Of the table.
    std::size_t columns_ = 0;
    std::vector<std::size_t> at_;  // By room: its place in the table, or none.
    std::vector<Item> items_;
    std::vector<std::uint32_t> tiny_;  // Pods that take no step of either.
    std::uint64_t looks_ = 0;
    bool is_exact_ = true;
    std::vector<double> values_;  // By pods alike.
    std::vector<double> table_;
    double extra_ = 0;
};

}  // namespace joiner::plan
