#include "plan/provision/resource_bound.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/rng.h"

namespace joiner::plan {
namespace {

struct Machine {
    std::vector<double> capacity;
    double price;
};

ResourceColumns columns_of(std::size_t dimensions, const std::vector<Machine>& machines) {
    ResourceColumns out;
    out.dimensions = dimensions;
    for (const Machine& m : machines) {
        out.capacities.insert(out.capacities.end(), m.capacity.begin(), m.capacity.end());
        out.prices.push_back(m.price);
    }
    return out;
}

TEST(ResourceBound, equals_what_one_works_out_by_hand) {
    const struct {
        const char* name;
        std::vector<Machine> machines;
        std::vector<double> demand;
        double cost;
    } cases[] = {
        {"nothing asked", {{{4, 8}, 1}}, {0, 0}, 0},
        {"one machine, one dimension binds", {{{4, 8}, 1}}, {10, 8}, 2.5},
        {"the other binds", {{{4, 8}, 1}}, {1, 40}, 5},
        {"the cheaper a unit", {{{4, 8}, 1}, {{16, 32}, 3}}, {16, 0}, 3},
        {"a part of a machine", {{{16, 32}, 3}}, {4, 0}, 0.75},
        {"a mix of two shapes", {{{4, 1}, 1}, {{1, 4}, 1}}, {5, 5}, 2},
        {"a machine worse in every way is not bought", {{{4, 4}, 1}, {{2, 2}, 1}}, {4, 4}, 1},
        {"no machines", {}, {3, 3}, 0},
        {"nobody has the second", {{{4, 0}, 1}}, {8, 5}, 2},
        {"nobody has either", {{{0, 0}, 1}}, {8, 5}, 0},
        {"a free machine", {{{4, 8}, 0}}, {8, 5}, 0},
        {"a free machine that lacks what binds", {{{4, 0}, 0}, {{0, 8}, 1}}, {8, 16}, 2},
        {"a demand below zero asks for nothing", {{{4, 8}, 1}}, {-5, 8}, 1},
    };
    for (const auto& c : cases) {
        const ResourceBound bound = resource_bound(columns_of(2, c.machines), c.demand);
        EXPECT_NEAR(bound.cost, c.cost, 1e-9) << c.name;
        ASSERT_EQ(bound.worth.size(), 2u) << c.name;
        for (const double worth : bound.worth) EXPECT_GE(worth, 0) << c.name;
    }
}

TEST(ResourceBound, no_machine_is_worth_more_than_its_price) {
    Rng rng(11);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t dimensions = 1 + rng.below(5);
        std::vector<Machine> machines(1 + rng.below(30));
        for (Machine& m : machines) {
            for (std::size_t d = 0; d < dimensions; ++d) {
                m.capacity.push_back(
                    rng.below(3) == 0 ? 0 : static_cast<double>(rng.below(1'000'000)) * (d == 1 ? 1e6 : 1));
            }
            m.price = rng.below(20) == 0 ? 0 : rng.unit() * 10;
        }
        std::vector<double> demand;
        for (std::size_t d = 0; d < dimensions; ++d)
            demand.push_back(static_cast<double>(rng.below(100'000'000)));
        const ResourceBound bound = resource_bound(columns_of(dimensions, machines), demand);
        for (const Machine& m : machines) {
            double earned = 0;
            for (std::size_t d = 0; d < dimensions; ++d) earned += bound.worth[d] * m.capacity[d];
            ASSERT_LE(earned, m.price * (1 + 1e-12) + 1e-300) << "seed 11, round " << round;
        }
    }
}

// The cheapest machines for the pods: every way to put each pod with others or on a machine of its own.
double cheapest_plan(const std::vector<Machine>& machines, const std::vector<std::vector<double>>& pods) {
    double best = std::numeric_limits<double>::infinity();
    std::vector<std::vector<double>> groups;
    const auto price_of = [&](const std::vector<double>& sum) {
        double least = std::numeric_limits<double>::infinity();
        for (const Machine& m : machines) {
            bool fits = true;
            for (std::size_t d = 0; d < sum.size(); ++d) fits = fits && sum[d] <= m.capacity[d];
            if (fits) least = std::min(least, m.price);
        }
        return least;
    };
    const std::function<void(std::size_t)> place = [&](std::size_t pod) {
        if (pod == pods.size()) {
            double total = 0;
            for (const auto& group : groups) total += price_of(group);
            best = std::min(best, total);
            return;
        }
        for (std::size_t g = 0; g < groups.size(); ++g) {
            for (std::size_t d = 0; d < pods[pod].size(); ++d) groups[g][d] += pods[pod][d];
            place(pod + 1);
            for (std::size_t d = 0; d < pods[pod].size(); ++d) groups[g][d] -= pods[pod][d];
        }
        groups.push_back(pods[pod]);
        place(pod + 1);
        groups.pop_back();
    };
    place(0);
    return best;
}

TEST(ResourceBound, is_never_above_the_cheapest_plan) {
    Rng rng(5);
    int tight = 0;
    for (int round = 0; round < 3000; ++round) {
        std::vector<Machine> machines(1 + rng.below(3));
        for (Machine& m : machines) {
            m.capacity = {static_cast<double>(1 + rng.below(16)), static_cast<double>(1 + rng.below(16))};
            m.price = rng.below(10) == 0 ? 0 : 0.1 + rng.unit() * 3;
        }
        std::vector<std::vector<double>> pods(1 + rng.below(5));
        std::vector<double> demand(2, 0);
        for (auto& pod : pods) {
            pod = {static_cast<double>(rng.below(9)), static_cast<double>(rng.below(9))};
            for (std::size_t d = 0; d < 2; ++d) demand[d] += pod[d];
        }
        const double best = cheapest_plan(machines, pods);
        const double bound = resource_bound(columns_of(2, machines), demand).cost;
        ASSERT_LE(bound, best + 1e-9) << "seed 5, round " << round;
        if (best > 0 && bound > 0.95 * best && best < 1e9) ++tight;
    }
    EXPECT_GT(tight, 50) << "a bound that is always loose says nothing";
}

}  // namespace
}  // namespace joiner::plan
