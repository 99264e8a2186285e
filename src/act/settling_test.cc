#include "act/settling.h"

#include <gtest/gtest.h>

namespace joiner::act {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime kStart{seconds{1'800'000'000}};

TEST(Settling, an_object_never_touched_may_be_acted_on) {
    EXPECT_TRUE(Settling{}.may_act("claim/a", "1", kStart));
}

TEST(Settling, one_request_at_a_time) {
    Settling s;
    s.begin("a");
    EXPECT_FALSE(s.may_act("a", "99", kStart + seconds{3600})) << "however long it takes";
    EXPECT_TRUE(s.may_act("b", "1", kStart)) << "others are free";
}

TEST(Settling, after_a_write_the_watch_must_show_it) {
    Settling s;
    s.begin("a");
    s.done("a", "100", kStart);
    EXPECT_FALSE(s.may_act("a", "99", kStart + seconds{1}));
    EXPECT_TRUE(s.may_act("a", "100", kStart + seconds{1}));
    EXPECT_TRUE(s.may_act("a", "1000", kStart + seconds{1})) << "versions are numbers, not texts";
    EXPECT_FALSE(s.may_act("a", "9", kStart + seconds{1}));
    EXPECT_TRUE(s.may_act("a", "99", kStart + seconds{5})) << "a watch that never shows it is not waited for";
}

TEST(Settling, after_a_delete_only_time_settles) {
    Settling s;
    s.begin("a");
    s.done("a", "", kStart);
    EXPECT_FALSE(s.may_act("a", "18446744073709551614", kStart + seconds{4}));
    EXPECT_TRUE(s.may_act("a", "1", kStart + seconds{5}));
}

TEST(Settling, failures_wait_longer_and_longer_up_to_a_bound) {
    Settling s;
    WallTime now = kStart;
    Duration last{0};
    for (int i = 0; i < 20; ++i) {
        s.begin("a");
        s.failed("a", now);
        Duration wait{0};
        while (!s.may_act("a", "99999", now + wait)) wait += milliseconds{50};
        EXPECT_GE(wait, last) << "try " << i;
        EXPECT_LE(wait, seconds{20}) << "try " << i;
        last = wait;
        now += wait;
    }
    EXPECT_EQ(last, seconds{20});
    s.begin("a");
    s.done("a", "5", now);
    s.begin("a");
    s.failed("a", now);
    EXPECT_TRUE(s.may_act("a", "1", now + milliseconds{100})) << "a success starts the count anew";
}

TEST(Settling, what_is_forgotten_is_free_unless_a_request_is_on_its_way) {
    Settling s;
    s.begin("a");
    s.done("a", "100", kStart);
    s.forget("a");
    EXPECT_TRUE(s.may_act("a", "1", kStart));
    s.begin("a");
    s.forget("a");
    EXPECT_FALSE(s.may_act("a", "1", kStart));
}

}  // namespace
}  // namespace joiner::act
