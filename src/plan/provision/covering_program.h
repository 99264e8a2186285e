// The linear program of whole machines: patterns in such amounts that every shape's pods are covered, at the
// lowest price. Columns are added while it is solved. Good to rounding only: for values and proportions, not
// for bounds. Pure.
//
//     min price . x   subject to   sum of x_p * pattern_p >= demand,  x >= 0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace joiner::plan {

struct Pattern {
    double price = 0;
    std::vector<std::pair<std::uint32_t, double>> take;  // Row and count, by row; below zero it is used up.
};

class CoveringProgram {
  public:
    // `singles`: for every row a pattern of that row alone, with which the program starts.
    CoveringProgram(std::vector<double> demand, std::vector<Pattern> singles);

    std::size_t rows() const { return rows_; }
    const std::vector<Pattern>& patterns() const { return patterns_; }
    void add(Pattern pattern) { patterns_.push_back(std::move(pattern)); }

    // Another demand: starts over, with all the patterns known by now.
    void restart(std::vector<double> demand);

    // At most `steps` pivots from where the last call ended; returns how many there were.
    std::size_t solve(std::size_t steps);
    const std::vector<double>& values() const { return values_; }  // Of a pod of each row.
    double cost() const;
    // Patterns in use, with their amounts, by index.
    std::vector<std::pair<std::size_t, double>> amounts() const;

  private:
    static constexpr std::size_t kSurplus = std::size_t{1} << 32;  // And above: the surplus of a row.

    double price(std::size_t column) const { return column < kSurplus ? patterns_[column].price : 0; }
    void value_rows();
    std::size_t find_entering() const;
    bool pivot(std::size_t entering);

    std::size_t rows_;
    std::vector<double> demand_;
    std::vector<Pattern> patterns_;
    std::vector<std::size_t> basis_;
    std::vector<double> inverse_;
    std::vector<double> amounts_;
    std::vector<double> values_;
    std::vector<double> direction_;
};

}  // namespace joiner::plan
