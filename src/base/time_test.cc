#include "base/time.h"

#include <gtest/gtest.h>

namespace joiner {
namespace {

using namespace std::chrono_literals;

TEST(Duration, go_texts_are_read) {
    const std::pair<const char*, Duration> cases[] = {
        {"0", 0ns},       {"0s", 0ns},      {"1h30m", 90min}, {"720h", 720h},
        {"250ms", 250ms}, {"1.5s", 1500ms}, {"-2m", -2min},   {"1h0m0.000000001s", 1h + 1ns},
        {"10us", 10us},
    };
    for (const auto& [text, expected] : cases) {
        const auto d = parse_duration(text);
        ASSERT_TRUE(d) << text;
        EXPECT_EQ(*d, expected) << text;
    }
    for (const char* text : {"", "1", "h", "1d", "1h 30m", "1h-30m", "..s", "9999999999h", "never", "-"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Duration, is_printed_as_go_prints_it) {
    EXPECT_EQ(format_duration(0ns), "0s");
    EXPECT_EQ(format_duration(720h), "720h0m0s");
    EXPECT_EQ(format_duration(90s), "1m30s");
    EXPECT_EQ(format_duration(1500ms), "1.5s");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(-2min), "-2m0s");
}

TEST(WallTime, rfc3339_goes_in_and_out) {
    const auto t = parse_rfc3339("2026-11-23T19:05:07Z");
    ASSERT_TRUE(t);
    EXPECT_EQ(format_rfc3339(*t), "2026-11-23T19:05:07Z");
    EXPECT_EQ(format_rfc3339_micro(*parse_rfc3339("2026-11-23T19:05:07.123456Z")),
              "2026-11-23T19:05:07.123456Z");
    EXPECT_EQ(*parse_rfc3339("2026-11-23T21:05:07+02:00"), *t);
    EXPECT_EQ(*parse_rfc3339("0001-01-01T00:00:00Z"), kNoTime);
    for (const char* text :
         {"", "2026-11-23", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T19:05:07",
          "2026-11-23T25:05:07Z", "9999-01-01T00:00:00Z", "2026-11-23T19:05:07.Z"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

}  // namespace
}  // namespace joiner
