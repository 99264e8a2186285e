#include "plan/provision/covering_program.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace joiner::plan {
namespace {

struct Question {
    std::vector<double> demand;
    std::vector<Pattern> singles;
    std::vector<Pattern> others;
};

Question random_question(Rng& rng) {
    Question out;
    const auto rows = static_cast<std::uint32_t>(1 + rng.below(8));
    for (std::uint32_t r = 0; r < rows; ++r) {
        out.demand.push_back(static_cast<double>(rng.below(50)));
        out.singles.push_back({1 + rng.unit(), {{r, 1 + static_cast<std::uint32_t>(rng.below(3))}}});
    }
    for (std::uint64_t n = rng.below(30); n > 0; --n) {
        Pattern pattern{0.5 + 3 * rng.unit(), {}};
        for (std::uint32_t r = 0; r < rows; ++r) {
            if (rng.below(2) == 0) pattern.take.emplace_back(r, 1 + static_cast<std::uint32_t>(rng.below(4)));
        }
        if (!pattern.take.empty()) out.others.push_back(std::move(pattern));
    }
    return out;
}

double worth(const Pattern& pattern, const std::vector<double>& values) {
    double sum = 0;
    for (const auto& [row, count] : pattern.take) sum += count * values[row];
    return sum;
}

// Amounts that cover everything, and values by which no pattern is worth more than it costs, that come to the
// same sum: neither can be better.
void expect_optimal(const CoveringProgram& program, const std::vector<double>& demand, int round) {
    std::vector<double> covered(demand.size(), 0);
    double cost = 0;
    for (const auto& [p, amount] : program.amounts()) {
        ASSERT_GE(amount, -1e-9);
        cost += amount * program.patterns()[p].price;
        for (const auto& [row, count] : program.patterns()[p].take) covered[row] += amount * count;
    }
    double value = 0;
    for (std::size_t r = 0; r < demand.size(); ++r) {
        EXPECT_GE(covered[r], demand[r] - 1e-6) << "round " << round;
        EXPECT_GE(program.values()[r], -1e-6) << "round " << round;
        value += program.values()[r] * demand[r];
    }
    for (const Pattern& pattern : program.patterns())
        EXPECT_LE(worth(pattern, program.values()), pattern.price * (1 + 1e-6)) << "round " << round;
    EXPECT_NEAR(cost, value, 1e-6 * (1 + cost)) << "round " << round;
}

TEST(CoveringProgram, finds_what_nothing_beats) {
    Rng rng(11);
    for (int round = 0; round < 500; ++round) {
        Question question = random_question(rng);
        CoveringProgram program(question.demand, question.singles);
        for (Pattern& pattern : question.others) {
            program.add(std::move(pattern));
            // Some are added after it was solved.
            if (rng.below(4) == 0) program.solve(1'000);
        }
        program.solve(1'000);
        expect_optimal(program, question.demand, round);
        for (double& one : question.demand) one = static_cast<double>(rng.below(20));
        program.restart(question.demand);
        program.solve(1'000);
        expect_optimal(program, question.demand, round);
    }
}

}  // namespace
}  // namespace joiner::plan
