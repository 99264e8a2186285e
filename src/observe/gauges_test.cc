// What is written of gauges, and that those with labels in common do not get in each other's way.
#include "observe/gauges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::observe {
namespace {

Gauges::Names names_of_test(std::string_view name) {
    return {"test_" + std::string(name), "Of " + std::string(name) + "."};
}

std::string text(const Gauges& gauges) {
    std::string out;
    gauges.write(out);
    return out;
}

TEST(Gauges, are_written_as_prometheus_reads_them) {
    Gauges gauges(names_of_test);
    gauges.set("b", {{"zone", "a"}, {"type", "m5.large"}}, 0.1);
    gauges.set("a", {}, 34359738368.0);
    EXPECT_EQ(text(gauges),
              "# HELP test_a Of a.\n# TYPE test_a gauge\ntest_a 34359738368\n"
              "# HELP test_b Of b.\n# TYPE test_b gauge\ntest_b{type=\"m5.large\",zone=\"a\"} 0.1\n");
}

TEST(Gauges, values_are_escaped) {
    Gauges gauges(names_of_test);
    gauges.set("a", {{"l", "say \"\\\"\nand"}}, 1);
    EXPECT_THAT(text(gauges), testing::HasSubstr(R"(test_a{l="say \"\\\"\nand"} 1)"));
}

TEST(Gauges, a_series_that_is_set_again_has_the_new_value) {
    Gauges gauges(names_of_test);
    gauges.set("a", {{"l", "x"}}, 1);
    gauges.set("a", {{"l", "x"}}, 2);
    EXPECT_EQ(text(gauges), "# HELP test_a Of a.\n# TYPE test_a gauge\ntest_a{l=\"x\"} 2\n");
}

TEST(Gauges, what_is_dropped_takes_nothing_else_along) {
    Gauges gauges(names_of_test);
    gauges.set("a", {{"k", "x"}, {"l", "y"}}, 1);
    gauges.set("a", {{"k", "x"}, {"l", "z"}}, 2);
    gauges.set("b", {{"l", "y"}}, 3);
    gauges.drop("a", {{"k", "x"}, {"l", "y"}});
    gauges.drop("a", {{"k", "x"}, {"l", "y"}});
    gauges.drop("a", {{"k", "never"}});
    gauges.drop("b", {{"k", "x"}});
    EXPECT_EQ(text(gauges),
              "# HELP test_a Of a.\n# TYPE test_a gauge\ntest_a{k=\"x\",l=\"z\"} 2\n"
              "# HELP test_b Of b.\n# TYPE test_b gauge\ntest_b{l=\"y\"} 3\n");
}

TEST(Gauges, labels_that_are_gone_make_room_for_others) {
    Gauges gauges(names_of_test);
    for (int round = 0; round < 3; ++round) {
        const std::string node = "node-" + std::to_string(round);
        gauges.set("a", {{"node", node}, {"pool", "p"}}, round);
        EXPECT_THAT(text(gauges), testing::HasSubstr("{node=\"" + node + "\",pool=\"p\"} "));
        gauges.drop("a", {{"node", node}, {"pool", "p"}});
        EXPECT_EQ(text(gauges), "");
    }
    EXPECT_EQ(gauges.room_for_labels(), 2u);
}

}  // namespace
}  // namespace joiner::observe
