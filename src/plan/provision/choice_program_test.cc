#include "plan/provision/choice_program.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace joiner::plan {
namespace {

constexpr double kLeastGain = 1e-9;

std::vector<Pattern> singles(const std::vector<double>& prices) {
    std::vector<Pattern> out;
    for (std::uint32_t r = 0; r < prices.size(); ++r) out.push_back({prices[r], {{r, 1}}});
    return out;
}

TEST(ChoiceProgram, takes_of_each_choice_no_more_than_there_is) {
    ChoiceProgram program({4, 5}, singles({1, 2}), {1, 2});
    program.add_to_choice(0, {{0, 3}});
    program.add_to_choice(0, {{1, 2}});
    program.add_to_choice(1, {{1, 1}});
    program.solve(100, kLeastGain);
    // Of the second row's five, which cost two each, the choices save four.
    EXPECT_NEAR(program.cost(), 6, 1e-9);
    ASSERT_FALSE(program.chosen(0).empty());
    EXPECT_EQ(program.chosen(0).front().first, (ChoiceProgram::Entries{{1, 2}}));
    EXPECT_NEAR(program.chosen(1).front().second, 2, 1e-9);
    EXPECT_LT(program.gain(0, {{0, 3}}), 0);
    EXPECT_GT(program.gain(0, {{1, 3}}), 0);
}

TEST(ChoiceProgram, divides_a_choice_where_that_is_best) {
    ChoiceProgram program({1, 1}, singles({1, 1}), {1});
    program.add_to_choice(0, {{0, 2}});
    program.add_to_choice(0, {{1, 2}});
    program.solve(100, kLeastGain);
    EXPECT_NEAR(program.cost(), 0, 1e-9);
    const auto chosen = program.chosen(0);
    ASSERT_EQ(chosen.size(), 2u);
    EXPECT_NEAR(chosen[0].second, 0.5, 1e-9);
    EXPECT_NEAR(chosen[1].second, 0.5, 1e-9);
}

double worth(const ChoiceProgram::Entries& take, const std::vector<double>& values) {
    double sum = 0;
    for (const auto& [row, count] : take) sum += count * values[row];
    return sum;
}

ChoiceProgram::Entries some_take(Rng& rng, std::uint32_t rows) {
    ChoiceProgram::Entries out;
    for (std::uint32_t r = 0; r < rows; ++r) {
        if (rng.below(3) == 0) out.emplace_back(r, 1 + static_cast<double>(rng.below(4)));
    }
    return out;
}

// Values by which nothing is worth more than it costs, that come to what the program costs: neither can be
// better.
TEST(ChoiceProgram, finds_what_nothing_beats) {
    Rng rng(1);
    for (int round = 0; round < 300; ++round) {
        const auto rows = static_cast<std::uint32_t>(1 + rng.below(8));
        const auto choices = static_cast<std::uint32_t>(1 + rng.below(12));
        std::vector<double> demand;
        std::vector<double> prices;
        std::vector<double> times;
        for (std::uint32_t r = 0; r < rows; ++r) {
            demand.push_back(static_cast<double>(rng.below(50)));
            prices.push_back(1 + rng.unit());
        }
        for (std::uint32_t i = 0; i < choices; ++i) times.push_back(1 + static_cast<double>(rng.below(3)));
        ChoiceProgram program(demand, singles(prices), times);
        std::vector<Pattern> machines = singles(prices);
        std::vector<std::vector<ChoiceProgram::Entries>> patterns(choices);
        // Columns come while it is solved.
        for (int turn = 0; turn < 4; ++turn) {
            for (std::uint64_t n = rng.below(6); n > 0; --n) {
                machines.push_back({0.5 + 3 * rng.unit(), some_take(rng, rows)});
                program.add(machines.back());
            }
            for (std::uint32_t i = 0; i < choices; ++i) {
                patterns[i].push_back(some_take(rng, rows));
                program.add_to_choice(i, patterns[i].back());
            }
            program.solve(10'000, kLeastGain);
            const std::vector<double>& values = program.values();
            double value = 0;
            for (std::uint32_t r = 0; r < rows; ++r) {
                EXPECT_GE(values[r], -1e-6) << round;
                value += values[r] * demand[r];
            }
            for (const Pattern& machine : machines)
                EXPECT_LE(worth(machine.take, values), machine.price + 1e-6) << round;
            for (std::uint32_t i = 0; i < choices; ++i) {
                double most = 0;
                for (const ChoiceProgram::Entries& take : patterns[i])
                    most = std::max(most, worth(take, values));
                value -= times[i] * most;
                double all = 0;
                for (const auto& [take, amount] : program.chosen(i)) {
                    EXPECT_GE(amount, -1e-9) << round;
                    all += amount;
                }
                EXPECT_NEAR(all, times[i], 1e-6) << round;
            }
            EXPECT_NEAR(program.cost(), value, 1e-6 * (1 + value)) << round;
        }
    }
}

TEST(ChoiceProgram, stops_after_so_many_steps) {
    ChoiceProgram program({4, 4}, singles({1, 2}), {1});
    program.add_to_choice(0, {{0, 3}});
    EXPECT_EQ(program.solve(0, kLeastGain), 0u);
    EXPECT_NEAR(program.cost(), 12, 1e-9);
    EXPECT_EQ(program.solve(100, kLeastGain), 1u);
    EXPECT_NEAR(program.cost(), 9, 1e-9);
}

}  // namespace
}  // namespace joiner::plan
