#include "plan/provision/ceilings.h"

#include <gtest/gtest.h>

namespace joiner::plan {
namespace {

// One machine is wide and one is tall, and both cost one.
const ResourceColumns kWideAndTall{2, {4, 1, 1, 4}, {1, 1}};

TEST(Ceilings, one_worth_for_all_lets_one_machine_make_up_for_another) {
    EXPECT_DOUBLE_EQ(ceilings(kWideAndTall, {1, 1}, {{0.2, 0.2}}).front(), 0.4);
}

TEST(Ceilings, with_one_for_each_kind_every_machine_stands_alone) {
    // A machine holds one such pod, whichever it is.
    EXPECT_DOUBLE_EQ(ceilings(kWideAndTall, {1, 1}, {{0, 1}, {1, 0}}).front(), 1);
    EXPECT_DOUBLE_EQ(ceilings(kWideAndTall, {1, 1}, {{1, 0}, {0, 1}}).front(), 1);
}

TEST(Ceilings, worths_above_the_price_are_made_smaller) {
    EXPECT_DOUBLE_EQ(ceilings(kWideAndTall, {1, 1}, {{2, 2}}).front(), 0.4);
    EXPECT_EQ(ceilings({2, {4, 1}, {0}}, {1, 1}, {{2, 2}}).front(), 0);
}

TEST(Ceilings, only_kinds_that_hold_the_pod_count) {
    EXPECT_DOUBLE_EQ(ceilings(kWideAndTall, {1, 2}, {{0, 1}, {1, 0}}).front(), 1);
    EXPECT_GT(ceilings(kWideAndTall, {5, 5}, {{0, 1}, {1, 0}}).front(), 10);
}

TEST(Ceilings, without_worths_nothing_costs_anything) {
    EXPECT_EQ(ceilings(kWideAndTall, {1, 1}, {}).front(), 0);
}

}  // namespace
}  // namespace joiner::plan
