#include "plan/provision/room_bound.h"

#include <gtest/gtest.h>

namespace joiner::plan {
namespace {

// One resource; machines of ten units cost ten.
RoomBoundQuestion a_question(std::vector<double> requests, std::vector<double> counts,
                             std::vector<double> rooms) {
    return {{1, {10}, {10}}, std::move(requests), std::move(counts), std::move(rooms)};
}

TEST(RoomBound, knows_what_sums_of_room_do_not) {
    struct Case {
        const char* name;
        RoomBoundQuestion question;
        double least;  // That the bound must reach; no plan costs less than `most`.
        double most;
    };
    const Case cases[] = {
        {"room for all", a_question({1}, {4}, {2, 2}), 0, 0},
        {"no room", a_question({1}, {4}, {0}), 4, 10},
        {"large pods fit nowhere", a_question({5}, {2}, {4, 4, 4}), 10, 10},
        {"small pods run out", a_question({1, 5}, {2, 2}, {4, 4, 4}), 10, 10},
        {"large pods fit the large room only", a_question({1, 5}, {1, 3}, {5, 4, 4, 4}), 10, 10},
        {"the room is full", a_question({1}, {10}, {2, 2}), 6, 10},
    };
    for (const Case& c : cases) {
        const double bound = room_bound(c.question, {}, 1'000'000);
        EXPECT_GE(bound, c.least * 0.999) << c.name;
        EXPECT_LE(bound, c.most * (1 + 1e-9)) << c.name;
    }
}

TEST(RoomBound, known_prices_are_taken_for_what_they_are_worth) {
    // Of the small pods all stand in rooms, and of the large ones none.
    const RoomBoundQuestion question = a_question({1, 5}, {12, 2}, {4, 4, 4});
    EXPECT_NEAR(room_bound(question, {{{1}, {5}}, {0, 5}, {{1}}}, 1'000'000), 10, 1e-6);
    // Pods it does not know cost what they would outside, and what costs too much costs as much as that.
    EXPECT_NEAR(room_bound(question, {{{1}}, {0}, {{1}}}, 1'000'000), 10, 1e-6);
    EXPECT_NEAR(room_bound(question, {{{1}, {5}}, {0, 50}, {{7}}}, 1'000'000), 10, 1e-6);
    EXPECT_EQ(room_bound(question, {{{1}, {5}}, {0, 0}, {{1}}}, 1'000'000), 0);
}

TEST(RoomBound, holds_when_the_time_was_cut_short) {
    const RoomBoundQuestion question = a_question({1, 5}, {2, 2}, {4, 4, 4});
    int asked = 0;
    const double bound = room_bound(question, {}, 1'000'000, [&] { return ++asked > 0; });
    EXPECT_GT(asked, 0);
    EXPECT_LE(bound, 10 * (1 + 1e-9));
}

TEST(RoomBound, without_rooms_or_pods_says_nothing) {
    EXPECT_EQ(room_bound(a_question({1}, {4}, {}), {}, 1'000), 0);
    EXPECT_EQ(room_bound(a_question({}, {}, {1}), {}, 1'000), 0);
}

}  // namespace
}  // namespace joiner::plan
