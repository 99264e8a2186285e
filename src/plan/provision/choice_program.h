// The linear program of patterns of which some exclude each other: of each choice so many may be made, at no
// price. Those rows need no place in the inverse (generalised upper bounds): every choice has a key pattern
// that takes what its others leave. Columns are added while it is solved. Good to rounding only: for values
// and proportions, not for bounds. Pure.
//
//     min price . x   subject to   sum of x_p * pattern_p >= demand,  x >= 0,
//                                  sum of x_p over the patterns of choice i <= times_i
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "plan/provision/covering_program.h"

namespace joiner::plan {

class ChoiceProgram {
  public:
    using Entries = std::vector<std::pair<std::uint32_t, double>>;  // Row and count.

    // `singles`: for every row a pattern of that row alone, with which the program starts, and no choice
    // made.
    ChoiceProgram(const std::vector<double>& demand, const std::vector<Pattern>& singles,
                  std::vector<double> times);

    std::size_t rows() const { return rows_; }
    void add(const Pattern& pattern);
    void add_to_choice(std::uint32_t choice, const Entries& take);

    // At most `steps` pivots from where the last call ended, until no column would gain as much as this, in
    // money; returns how many there were.
    std::size_t solve(std::size_t steps, double least_gain);
    const std::vector<double>& values() const { return values_; }  // Of a unit of each row.
    double cost() const;
    // What more the pattern is worth than what the choice is used for.
    double gain(std::uint32_t choice, const Entries& take) const;
    // The patterns in use of a choice, with their amounts, the largest first.
    std::vector<std::pair<Entries, double>> chosen(std::uint32_t choice) const;

  private:
    static constexpr std::uint32_t kNone = ~0u;
    static constexpr std::uint32_t kEmpty = 0;             // The column of nothing, which all choices have.
    static constexpr std::uint32_t kSurplus = 0x80000000;  // And above: the surplus of a row.

    struct Column {
        double price = 0;
        std::size_t begin = 0;  // In entries_.
        std::size_t end = 0;
    };

    std::uint32_t add_column(double price, const Entries& take);
    double price(std::uint32_t column) const { return column < kSurplus ? columns_[column].price : 0; }
    double worth(std::uint32_t column) const;
    void value_rows();
    bool enter_free();
    bool enter_of(std::uint32_t choice);
    std::size_t cycle(std::size_t steps);
    void add_to_direction(std::uint32_t column, double times);
    bool pivot(std::uint32_t entering, std::uint32_t choice);
    void sum_key_rates(std::uint32_t choice);
    void replace_key(std::uint32_t choice, std::size_t by);
    void replace(std::size_t leaving, std::uint32_t entering, std::uint32_t choice, double amount);

    std::size_t rows_;
    std::vector<double> times_;
    std::vector<Column> columns_;
    Entries entries_;
    std::vector<std::uint32_t> free_;                    // Columns of no choice.
    std::vector<std::vector<std::uint32_t>> of_choice_;  // Columns.
    std::vector<std::uint32_t> key_;                     // By choice.
    std::vector<double> key_amounts_;
    std::vector<std::uint32_t> basis_;         // By row of the inverse: a column,
    std::vector<std::uint32_t> basis_choice_;  // and its choice, or none.
    std::vector<double> amounts_;
    std::vector<double> inverse_;
    std::vector<double> values_;
    std::vector<double> direction_;
    std::vector<double> key_rates_;       // By choice: what the key loses as the entering column grows.
    std::vector<std::uint32_t> touched_;  // Choices with a rate.
    double least_gain_ = 0;               // That a column must have to enter.
};

}  // namespace joiner::plan
