#include "control/metric_words.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

TEST(MetricWords, s7_1_are_karpenters) {
    EXPECT_EQ(lower("Underutilized"), "underutilized");
    EXPECT_EQ(snake_case("WhenEmptyOrUnderutilized"), "when_empty_or_underutilized");
    EXPECT_EQ(snake_case("KWOKUnhealthy"), "kwok_unhealthy");
    EXPECT_EQ(snake_case("Ready"), "ready");
    EXPECT_EQ(termination_mode(std::nullopt), "graceful");
    EXPECT_EQ(termination_mode(std::chrono::minutes{1}), "eventual");
    EXPECT_EQ(termination_mode(Duration{0}), "forceful");
}

}  // namespace
}  // namespace joiner::control
