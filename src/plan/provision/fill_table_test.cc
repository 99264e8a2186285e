#include "plan/provision/fill_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/rng.h"

namespace joiner::plan {
namespace {

struct Case {
    std::vector<double> requests;  // Two dimensions.
    std::vector<double> counts;
    std::vector<double> values;
    std::vector<double> rooms;

    FillQuestion question() const { return {2, &requests, &counts, &rooms}; }
};

Case some_case(Rng& rng, double step) {
    Case out;
    for (std::size_t p = 0; p < 6; ++p) {
        out.requests.push_back(step * static_cast<double>(rng.below(6)));
        out.requests.push_back(step * static_cast<double>(1 + rng.below(6)));
        out.counts.push_back(static_cast<double>(rng.below(4)));
        out.values.push_back(static_cast<double>(rng.below(20)));
    }
    for (std::size_t r = 0; r < 6; ++r) out.rooms.push_back(step * static_cast<double>(rng.below(12)) + 1);
    return out;
}

// Of every choice, by counting through them.
double most_of_all(const Case& c, double first, double second, std::size_t p = 0) {
    if (p == c.counts.size()) return 0;
    double most = 0;
    for (double count = 0; count <= c.counts[p] && first >= 0 && second >= 0; ++count) {
        most = std::max(most, count * c.values[p] + most_of_all(c, first, second, p + 1));
        first -= c.requests[2 * p];
        second -= c.requests[2 * p + 1];
    }
    return most;
}

TEST(FillTable, is_exact_where_requests_have_a_common_step) {
    Rng rng(1);
    for (int i = 0; i < 200; ++i) {
        const Case c = some_case(rng, 7);
        FillTable table(c.question());
        if (table.looks() == 0) continue;
        EXPECT_TRUE(table.is_exact());
        table.set_values(c.values);
        for (std::size_t r = 0; r < c.rooms.size() / 2; ++r)
            EXPECT_DOUBLE_EQ(table.most(r), most_of_all(c, c.rooms[2 * r], c.rooms[2 * r + 1])) << i;
    }
}

TEST(FillTable, never_says_too_little_where_they_have_none) {
    Rng rng(2);
    for (int i = 0; i < 200; ++i) {
        Case c = some_case(rng, 700);
        for (double& request : c.requests) request += static_cast<double>(rng.below(100));
        FillTable table(c.question());
        if (table.looks() == 0) continue;
        table.set_values(c.values);
        for (std::size_t r = 0; r < c.rooms.size() / 2; ++r)
            EXPECT_GE(table.most(r), most_of_all(c, c.rooms[2 * r], c.rooms[2 * r + 1])) << i;
    }
}

TEST(FillTable, what_it_reads_has_room_and_is_worth_the_most) {
    Rng rng(3);
    int read = 0;
    int best = 0;
    for (int i = 0; i < 200; ++i) {
        const Case c = some_case(rng, 7);
        FillTable table(c.question());
        if (table.looks() == 0) continue;
        table.set_values(c.values);
        for (std::size_t r = 0; r < c.rooms.size() / 2; ++r) {
            double first = c.rooms[2 * r];
            double second = c.rooms[2 * r + 1];
            double value = 0;
            for (const auto& [p, count] : table.read(r)) {
                EXPECT_LE(count, c.counts[p]) << i;
                first -= count * c.requests[2 * p];
                second -= count * c.requests[2 * p + 1];
                value += count * c.values[p];
            }
            EXPECT_GE(std::min(first, second), 0) << i;
            EXPECT_LE(value, table.most(r)) << i;
            ++read;
            best += value == table.most(r) ? 1 : 0;
        }
    }
    // Where there are few of a kind it may miss.
    EXPECT_GT(best, 0.9 * read);
}

TEST(FillTable, says_nothing_of_rooms_far_larger_than_the_others) {
    const Case c{{1, 1}, {5}, {1}, {10, 10, 10, 10, 1e6, 1e6}};
    FillTable table(c.question());
    table.set_values(c.values);
    EXPECT_EQ(table.most(0), 5);
    EXPECT_EQ(table.most(2), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace joiner::plan
