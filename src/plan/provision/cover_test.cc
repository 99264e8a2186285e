#include "plan/provision/cover.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "base/rng.h"

namespace joiner::plan {
namespace {

constexpr std::uint64_t kPlenty = 10'000'000;
constexpr double kNoPlan = 1e18;

struct Machine {
    std::vector<double> capacity;
    double price;
};

ResourceColumns columns_of(const std::vector<Machine>& machines) {
    ResourceColumns out;
    out.dimensions = machines.empty() ? 0 : machines.front().capacity.size();
    for (const Machine& m : machines) {
        out.capacities.insert(out.capacities.end(), m.capacity.begin(), m.capacity.end());
        out.prices.push_back(m.price);
    }
    return out;
}

TEST(Cover, equals_what_one_works_out_by_hand) {
    const std::vector<Machine> sizes = {{{2, 4}, 1}, {{4, 8}, 2}, {{8, 16}, 3.5}};
    const struct {
        const char* name;
        std::vector<Machine> machines;
        std::vector<double> demand;
        double upper;
        double cost;
    } cases[] = {
        {"nothing asked", sizes, {0, 0}, kNoPlan, 0},
        {"one small machine", sizes, {1, 1}, kNoPlan, 1},
        {"whole machines cost more than parts", sizes, {3, 1}, kNoPlan, 2},
        {"the large one is cheaper by the unit", sizes, {8, 8}, kNoPlan, 3.5},
        {"a large and a small one", sizes, {9, 9}, kNoPlan, 4.5},
        {"no more than the plan that is known", sizes, {9, 9}, 4.2, 4.2},
        {"two shapes", {{{4, 1}, 1}, {{1, 4}, 1}}, {5, 5}, kNoPlan, 2},
        {"no machines", {}, {}, kNoPlan, 0},
    };
    for (const auto& c : cases) {
        EXPECT_NEAR(covering_bound(columns_of(c.machines), c.demand, c.upper, kPlenty), c.cost, 1e-6)
            << c.name;
    }
}

// The cheapest multiset by trying all.
double cheapest_cover(const std::vector<Machine>& machines, std::vector<double> left, std::size_t from,
                      double most) {
    if (std::all_of(left.begin(), left.end(), [](double amount) { return amount <= 0; })) return 0;
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t j = from; j < machines.size(); ++j) {
        if (machines[j].price > most) continue;
        std::vector<double> rest = left;
        for (std::size_t d = 0; d < rest.size(); ++d) rest[d] -= machines[j].capacity[d];
        best = std::min(best, machines[j].price + cheapest_cover(machines, rest, j,
                                                                 std::min(best, most) - machines[j].price));
    }
    return best;
}

TEST(Cover, finds_the_cheapest_machines_that_cover_the_demand) {
    Rng rng(7);
    for (int round = 0; round < 400; ++round) {
        std::vector<Machine> machines(1 + rng.below(4));
        for (Machine& m : machines) {
            m.capacity = {static_cast<double>(1 + rng.below(8)), static_cast<double>(1 + rng.below(8))};
            m.price = 0.5 + rng.unit() * 3;
        }
        const std::vector<double> demand = {static_cast<double>(rng.below(20)),
                                            static_cast<double>(rng.below(20))};
        const double best = cheapest_cover(machines, demand, 0, 1e9);
        const double bound = covering_bound(columns_of(machines), demand, kNoPlan, kPlenty);
        ASSERT_NEAR(bound, best, 1e-6 * best) << "seed 7, round " << round;
        // Stopped early it is weaker, and still no less than the resource program.
        const double early = covering_bound(columns_of(machines), demand, kNoPlan, 3);
        ASSERT_LE(early, best * (1 + 1e-9)) << "seed 7, round " << round;
        ASSERT_GE(early, resource_bound(columns_of(machines), demand).cost * (1 - 1e-6))
            << "seed 7, round " << round;
    }
}

}  // namespace
}  // namespace joiner::plan
