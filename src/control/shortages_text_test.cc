#include "control/shortages_text.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::control {
namespace {

WallTime at(int second) {
    return WallTime{} + std::chrono::hours{480'000} + std::chrono::seconds{second};
}

ShortagesOfClass some() {
    return {{"karpenter.k8s.aws", "EC2NodeClass", "default"},
            3,
            "0123456789abcdef",
            {{{"m5.large", "us-east-1a", "spot", ""}, {at(180), at(0), 1}},
             {{"m5.large", "us-east-1a", "reserved", "cr-1"}, {at(400), at(20), 2}}}};
}

TEST(ShortagesText, reads_what_was_written) {
    ShortagesOfClass other = some();
    other.node_class = {"", "Kind", ""};
    other.annotations.clear();
    const std::vector<ShortagesOfClass> all = {some(), other};
    EXPECT_EQ(read_shortages(written(all)), all);
    EXPECT_EQ(written({}), "");
    EXPECT_THAT(
        written({some()}),
        testing::StartsWith(
            "class karpenter.k8s.aws EC2NodeClass default generation 3 annotations 0123456789abcdef\n"
            "m5.large us-east-1a spot - until 2024-10-04T00:03:00Z noted 2024-10-04T00:00:00Z times 1\n"));
}

TEST(ShortagesText, passes_over_what_says_nothing) {
    const std::string text = written({some()});
    const std::string first = text.substr(0, text.find('\n') + 1);
    EXPECT_EQ(read_shortages("\n  \nnonsense\n" + text + "m5.large until\n"), std::vector{some()});
    for (const char* line : {
             "m5.large a spot - until never noted 2024-10-04T00:00:00Z times 1",
             "m5.large a spot - until 2024-10-04T00:00:00Z noted 2024-10-04T00:00:00Z times x",
             "m5.large a spot - until 2024-10-04T00:00:00Z noted 2024-10-04T00:00:00Z times -1",
             "m5.large a spot - until 2024-10-04T00:00:00Z noted 2024-10-04T00:00:00Z times 1 more words",
             "m5.large a spot - until 2024-10-04T00:00:00Z",
         }) {
        const auto read = read_shortages(first + line);
        ASSERT_EQ(read.size(), 1u) << line;
        EXPECT_TRUE(read[0].offerings.empty()) << line;
    }
    EXPECT_TRUE(read_shortages(text.substr(first.size())).empty()) << "offerings of no class";
}

TEST(ShortagesText, is_bounded_and_keeps_what_was_noted_last) {
    ShortagesOfClass of = some();
    of.offerings.clear();
    for (int i = 0; i < 10'000; ++i)
        of.offerings.push_back({{fmt::format("type-{}", i), "a", "spot", ""}, {at(i + 180), at(i), 1}});
    const std::string text = written({of});
    EXPECT_LE(text.size(), kMostWrittenBytes);
    const auto read = read_shortages(text);
    ASSERT_EQ(read[0].offerings.size(), kMostWritten);
    EXPECT_EQ(read[0].offerings.front().first.type, "type-6000");
    for (auto& [key, shortage] : of.offerings) key.type.append(500, 'x');
    EXPECT_LE(written({of}).size(), kMostWrittenBytes);
}

TEST(ShortagesText, leaves_out_names_that_would_be_read_otherwise) {
    ShortagesOfClass of = some();
    of.offerings[0].first.type = "a b";
    EXPECT_EQ(read_shortages(written({of}))[0].offerings.size(), 1u);
}

}  // namespace
}  // namespace joiner::control
