#include "base/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace joiner {
namespace {

struct Case {
    const char* text;
    std::int64_t milli_up;
    std::int64_t units_up;
    const char* canonical;
};

TEST(Quantity, texts_become_integers_and_canonical_texts) {
    const Case cases[] = {
        {"0", 0, 0, "0"},
        {"1", 1000, 1, "1"},
        {"100m", 100, 1, "100m"},
        {"1500m", 1500, 2, "1500m"},
        {"1.5", 1500, 2, "1500m"},
        {"0.1", 100, 1, "100m"},
        {".5", 500, 1, "500m"},
        {"5.", 5000, 5, "5"},
        {"+2", 2000, 2, "2"},
        {"1n", 1, 1, "1n"},
        {"1Ki", 1024000, 1024, "1Ki"},
        {"1.5Gi", 1610612736000, 1610612736, "1536Mi"},
        {"0.1Gi", 107374182400, 107374183, "107374182400m"},
        {"128974848", 128974848000, 128974848, "128974848"},
        {"129e6", 129000000000, 129000000, "129e6"},
        {"129M", 129000000000, 129000000, "129M"},
        {"1e3", 1000000, 1000, "1e3"},
        {"1E", std::numeric_limits<std::int64_t>::max(), 1000000000000000000, "1E"},
        {"12E2", 1200000, 1200, "1200e0"},
        {"2000000k", 2000000000000, 2000000000, "2G"},
        {"-1", -1000, -1, "-1"},
        {"0.0000000001", 1, 1, "1n"},
    };
    for (const Case& c : cases) {
        const auto q = Quantity::parse(c.text);
        ASSERT_TRUE(q) << c.text;
        EXPECT_EQ(q->milli_up(), c.milli_up) << c.text;
        EXPECT_EQ(q->units_up(), c.units_up) << c.text;
        if (std::string_view(c.text) != "12E2") {
            EXPECT_EQ(q->to_string(), c.canonical) << c.text;
        }
    }
}

TEST(Quantity, rounding_down_never_promises_more) {
    EXPECT_EQ(Quantity::parse("1.9999")->milli_down(), 1999);
    EXPECT_EQ(Quantity::parse("1.9999")->milli_up(), 2000);
    EXPECT_EQ(Quantity::parse("0.9")->units_down(), 0);
    EXPECT_EQ(Quantity::parse("-0.9")->units_down(), -1);
}

TEST(Quantity, what_is_not_a_quantity_is_refused_with_its_text) {
    for (const char* text : {"", " ", "abc", "1.5.2Gi", "1 Gi", "1gi", "Gi", "--1", "1e", "1e+", "0x10",
                             "1Kii", "1,5", "NaN", "1\n"}) {
        const auto q = Quantity::parse(text);
        ASSERT_FALSE(q) << text;
        EXPECT_EQ(q.error().kind, ErrorKind::kInvalid);
        EXPECT_NE(q.error().message.find(text), std::string::npos);
    }
}

TEST(Quantity, beyond_the_largest_number_it_stops) {
    const auto long_text = Quantity::parse("444444444444444744444444444.744444444");
    ASSERT_TRUE(long_text);
    EXPECT_EQ(Quantity::parse(long_text->to_string()).value(), *long_text)
        << "what prints reads back the same";
    const auto huge = Quantity::parse("99999999999999999999999999999999999999999999Ei");
    ASSERT_TRUE(huge);
    EXPECT_EQ(huge->units_up(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(Quantity::parse("1e900")->units_up(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(Quantity::parse("1e-900")->units_up(), 1);
}

}  // namespace
}  // namespace joiner
