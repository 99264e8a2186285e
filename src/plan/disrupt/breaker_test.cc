#include "plan/disrupt/breaker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::plan {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;
using testing::IsEmpty;
using Trouble = Breaker::Trouble;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

TEST(Breaker, three_failures_in_a_row_hold_the_pool_for_a_while) {
    Breaker breaker;
    breaker.failed("p", Trouble::kLaunch, kNow);
    breaker.failed("p", Trouble::kLaunch, kNow);
    EXPECT_THAT(breaker.held(kNow), IsEmpty());
    breaker.failed("q", Trouble::kLaunch, kNow);
    EXPECT_THAT(breaker.held(kNow), IsEmpty()) << "each pool for itself";
    breaker.failed("p", Trouble::kLaunch, kNow);
    ASSERT_EQ(breaker.held(kNow).count("p"), 1u);
    EXPECT_THAT(breaker.held(kNow).at("p"), HasSubstr("2027-03-10T12:10:00Z"));
    EXPECT_THAT(breaker.held(kNow + minutes{10}), IsEmpty());
}

TEST(Breaker, a_success_begins_anew) {
    Breaker breaker;
    for (int i = 0; i < 10; ++i) {
        breaker.failed("p", Trouble::kLaunch, kNow);
        breaker.failed("p", Trouble::kLaunch, kNow);
        breaker.succeeded("p", Trouble::kLaunch);
    }
    EXPECT_THAT(breaker.held(kNow), IsEmpty());
}

TEST(Breaker, nodes_that_come_up_do_not_excuse_pods_that_do_not) {
    Breaker breaker;
    for (int i = 0; i < 3; ++i) {
        breaker.succeeded("p", Trouble::kLaunch);
        breaker.failed("p", Trouble::kPods, kNow);
    }
    EXPECT_THAT(breaker.held(kNow).at("p"), HasSubstr("did not become ready"));
}

TEST(Breaker, each_failure_after_a_hold_holds_for_longer) {
    Breaker breaker;
    WallTime now = kNow;
    for (int i = 0; i < 3; ++i) breaker.failed("p", Trouble::kLaunch, now);
    breaker.failed("p", Trouble::kLaunch, now) /* of a launch begun before */;
    for (const int minutes_held : {10, 20, 40, 80, 120, 120}) {
        EXPECT_EQ(breaker.held(now + minutes{minutes_held} - Duration{1}).size(), 1u) << minutes_held;
        EXPECT_THAT(breaker.held(now + minutes{minutes_held}), IsEmpty()) << minutes_held;
        now += minutes{minutes_held};
        breaker.failed("p", Trouble::kLaunch, now);
    }
    breaker.forget("p");
    EXPECT_THAT(breaker.held(now), IsEmpty());
}

}  // namespace
}  // namespace joiner::plan
