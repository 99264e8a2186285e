#include "control/purchases.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// How long the pod is held once it is seen without a plan.
Duration held(Purchases& purchases, WallTime now) {
    const auto hold = purchases.hold("pod", now, false);
    return hold ? hold->until - now : Duration{0};
}

TEST(Purchases, launches_that_fail_are_tried_again_at_growing_distances) {
    Purchases purchases;
    WallTime now = kNow;
    EXPECT_EQ(held(purchases, now), seconds{0});
    for (const int wait : {0, 1, 2, 4, 8, 16, 32, 64, 120, 120}) {
        purchases.note_bought("pod", "claim", "pool");
        purchases.note_failed("claim", "sold out");
        EXPECT_EQ(held(purchases, now), seconds{wait});
        now += seconds{wait};
        EXPECT_FALSE(purchases.hold("pod", now, false));
    }
}

TEST(Purchases, of_nodes_that_break_their_promise_one_more_is_bought_and_the_next_much_later) {
    Purchases purchases;
    WallTime now = kNow;
    for (const int wait : {0, 60, 120, 240, 240}) {
        purchases.note_bought("pod", "claim", "pool");
        EXPECT_EQ(held(purchases, now), minutes{wait});
        now += minutes{wait};
        EXPECT_FALSE(purchases.hold("pod", now, false));
    }
}

TEST(Purchases, a_hold_begins_when_the_pod_is_first_seen_without_a_plan) {
    Purchases purchases;
    purchases.note_bought("pod", "a", "pool");
    purchases.note_bought("pod", "b", "pool");
    const auto first = purchases.hold("pod", kNow + minutes{5}, false);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->until, kNow + minutes{65});
    EXPECT_EQ(first->claim, "b");
    EXPECT_EQ(purchases.hold("pod", kNow + minutes{6}, false)->until, kNow + minutes{65});
    EXPECT_EQ(purchases.next_end(kNow + minutes{6}), kNow + minutes{65});
    EXPECT_FALSE(purchases.next_end(kNow + minutes{65}));
}

TEST(Purchases, a_claim_fails_for_all_it_was_bought_for_and_once) {
    Purchases purchases;
    for (int i = 0; i < 2; ++i) {
        purchases.note_bought("pod", "claim", "pool");
        purchases.note_bought("other", "claim", "pool");
        purchases.note_failed("claim", "sold out");
        purchases.note_failed("claim", "sold out");
    }
    EXPECT_EQ(held(purchases, kNow), seconds{1});
    EXPECT_EQ(purchases.hold("other", kNow, false)->failed, 2);
    purchases.note_bought("pod", "claim", "pool");
    EXPECT_EQ(held(purchases, kNow), seconds{0}) << "it has come up";
    EXPECT_EQ(purchases.find("pod")->error, "sold out");
}

TEST(Purchases, a_node_that_was_as_promised_and_went_to_others_is_bought_again) {
    Purchases purchases;
    for (int i = 0; i < 5; ++i) {
        purchases.note_bought("pod", "claim", "pool");
        EXPECT_FALSE(purchases.hold("pod", kNow, true));
    }
}

TEST(Purchases, what_is_forgiven_or_gone_is_not_held) {
    Purchases purchases;
    for (const char* pod : {"pod", "other"}) {
        purchases.note_bought(pod, "a", "pool");
        purchases.note_bought(pod, "b", "pool");
        EXPECT_TRUE(purchases.hold(pod, kNow, false));
    }
    purchases.forget("other");
    EXPECT_FALSE(purchases.hold("other", kNow, false));
    purchases.forgive();
    EXPECT_FALSE(purchases.hold("pod", kNow, false));
}

}  // namespace
}  // namespace joiner::control
