#include "io/steady_wall.h"

#include <gtest/gtest.h>

namespace joiner::io {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kNoon{hours{12}};

TEST(SteadyWall, shows_what_the_wall_clock_shows_while_that_goes_evenly) {
    SteadyWall time;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(time.at(kNoon + minutes{i}, minutes{i}), kNoon + minutes{i});
}

TEST(SteadyWall, follows_a_step_slowly_whichever_way_it_goes) {
    const struct {
        Duration step;
        Duration shown_after_a_minute;
    } cases[] = {{hours{1}, seconds{66}}, {-hours{1}, seconds{54}}, {seconds{2}, seconds{62}}};
    for (const auto& c : cases) {
        SteadyWall time;
        time.at(kNoon, Duration{0});
        EXPECT_EQ(time.at(kNoon + c.step, Duration{0}), kNoon) << "it does not step";
        EXPECT_EQ(time.at(kNoon + c.step + minutes{1}, minutes{1}), kNoon + c.shown_after_a_minute);
        EXPECT_EQ(time.at(kNoon + c.step + hours{20}, hours{20}), kNoon + c.step + hours{20})
            << "in the end it is right";
    }
}

TEST(SteadyWall, never_goes_back) {
    SteadyWall time;
    WallTime last = time.at(kNoon, Duration{0});
    for (int i = 1; i < 100; ++i) {
        const WallTime next = time.at(kNoon - hours{i}, seconds{i});
        EXPECT_GT(next, last);
        last = next;
    }
}

}  // namespace
}  // namespace joiner::io
