#include "control/pool_doubts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

TEST(PoolDoubts, one_more_is_tried_and_the_next_at_growing_distances) {
    PoolDoubts doubts;
    WallTime now = kNow;
    for (const int wait : {0, 1, 2, 4, 4}) {
        const WallTime bought = std::chrono::floor<std::chrono::seconds>(now);
        now += minutes{15} + std::chrono::milliseconds{10};
        doubts.note_failed("pool", bought, "a taint", now);
        const PoolDoubts::Doubt* doubt = doubts.find("pool", now);
        EXPECT_EQ(doubt == nullptr ? Duration{0} : doubt->until - now, hours{wait});
        EXPECT_EQ(doubts.next_end(now).has_value(), wait > 0);
        now += hours{wait};
        EXPECT_EQ(doubts.find("pool", now), nullptr);
    }
    EXPECT_EQ(doubts.find("other", now), nullptr);
}

TEST(PoolDoubts, nodes_bought_before_the_failure_was_known_are_of_one_try) {
    PoolDoubts doubts;
    doubts.note_failed("pool", kNow, "first", kNow + minutes{15});
    doubts.note_failed("pool", kNow + minutes{5}, "second", kNow + minutes{20});
    EXPECT_EQ(doubts.find("pool", kNow + minutes{20}), nullptr);
    doubts.note_failed("pool", kNow + minutes{15}, "third", kNow + minutes{30});
    const PoolDoubts::Doubt* doubt = doubts.find("pool", kNow + minutes{30});
    ASSERT_NE(doubt, nullptr);
    EXPECT_THAT(in_words(as_reason(*doubt, "pool")),
                testing::AllOf(testing::HasSubstr("NodePool pool before 2027-03-10T13:30:00Z"),
                               testing::HasSubstr("2 times in a row: third")));
}

TEST(PoolDoubts, a_node_that_comes_up_later_ends_them_and_an_older_one_does_not) {
    PoolDoubts doubts;
    doubts.note_failed("pool", kNow, "", kNow + minutes{15});
    doubts.note_failed("pool", kNow + minutes{15}, "", kNow + minutes{30});
    doubts.note_up("pool", kNow + minutes{29});
    EXPECT_NE(doubts.find("pool", kNow + minutes{31}), nullptr);
    doubts.note_up("pool", kNow + minutes{31});
    EXPECT_TRUE(doubts.empty());
}

}  // namespace
}  // namespace joiner::control
