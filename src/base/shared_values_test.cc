#include "base/shared_values.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace joiner {
namespace {

TEST(SharedValues, equal_values_are_one) {
    SharedValues<std::string> values;
    const auto a = values.share("a");
    EXPECT_EQ(values.share("a"), a);
    EXPECT_NE(values.share("b"), a);
    EXPECT_EQ(*a, "a");
    EXPECT_EQ(values.size(), 2u);
}

TEST(SharedValues, what_nobody_has_any_more_goes) {
    SharedValues<std::string> values;
    const auto kept = values.share("kept");
    for (int i = 0; i < 10'000; ++i) values.share(std::to_string(i));
    EXPECT_LE(values.size(), 64u);
    EXPECT_EQ(values.share("kept"), kept);
}

TEST(SharedValues, what_somebody_has_stays) {
    SharedValues<std::string> values;
    std::vector<std::shared_ptr<const std::string>> held;
    for (int i = 0; i < 1000; ++i) held.push_back(values.share(std::to_string(i)));
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(values.share(std::to_string(i)), held[i]) << i;
}

}  // namespace
}  // namespace joiner
