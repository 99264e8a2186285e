#include "plan/price_floor.h"

#include <gtest/gtest.h>

namespace joiner::plan {
namespace {

SoldMachine machine(std::int64_t cores, std::int64_t gibibytes, double dollars) {
    return {cores * 1000, gibibytes << 30, rules::Money::from_dollars(dollars)};
}

double floor_of(std::int64_t cores, std::int64_t gibibytes, const std::vector<SoldMachine>& sold) {
    return price_floor(cores * 1000, gibibytes << 30, sold).dollars();
}

TEST(PriceFloor, cases) {
    const SoldMachine compute = machine(4, 8, 0.40);
    const SoldMachine memory = machine(4, 32, 0.80);
    struct Case {
        const char* name;
        std::int64_t cores;
        std::int64_t gibibytes;
        std::vector<SoldMachine> sold;
        double dollars;
    };
    const Case cases[] = {
        {"nothing is asked for", 0, 0, {compute}, 0},
        {"nothing is sold", 8, 8, {}, 0},
        {"one machine, cores are short", 8, 8, {compute}, 0.80},
        {"one machine, memory is short", 4, 32, {compute}, 1.60},
        {"the cheaper for cores", 8, 0, {compute, memory}, 0.80},
        {"the cheaper for memory", 0, 64, {compute, memory}, 1.60},
        // One of each: no price of a core and a GiB that both machines can bear makes it less.
        {"both together", 8, 40, {compute, memory}, 1.20},
        {"one that costs nothing", 8, 40, {compute, machine(1, 1, 0)}, 0},
        {"one that holds nothing", 8, 8, {compute, machine(0, 0, 0.1)}, 0.80},
    };
    for (const Case& c : cases)
        EXPECT_NEAR(floor_of(c.cores, c.gibibytes, c.sold), c.dollars, 1e-3) << c.name;
}

TEST(PriceFloor, it_is_never_more_than_machines_that_hold_it) {
    const std::vector<SoldMachine> sold = {machine(2, 4, 0.11), machine(4, 8, 0.19), machine(8, 64, 0.7),
                                           machine(16, 32, 0.68)};
    for (int one = 0; one < 4; ++one) {
        for (int other = 0; other < 4; ++other) {
            const SoldMachine& a = sold[static_cast<std::size_t>(one)];
            const SoldMachine& b = sold[static_cast<std::size_t>(other)];
            EXPECT_LE(price_floor(a.cpu_milli + b.cpu_milli, a.memory_bytes + b.memory_bytes, sold),
                      a.price + b.price);
        }
    }
}

}  // namespace
}  // namespace joiner::plan
