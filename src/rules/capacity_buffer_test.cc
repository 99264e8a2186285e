#include "rules/capacity_buffer.h"

#include <gtest/gtest.h>

namespace joiner::rules {
namespace {

TEST(CapacityBuffer, replicas_follow_from_count_percentage_and_limits) {
    struct Case {
        const char* name;
        std::optional<std::int32_t> replicas;
        std::optional<std::int32_t> percentage;
        api::ResourceMap limits;
        std::int64_t scalable = 0;
        std::int32_t expected = 0;
    };
    const auto q = [](const char* text) { return Quantity::parse(text).value(); };
    // Of pods of 500m and 1Gi.
    const Case cases[] = {
        {"nothing is asked for", {}, {}, {}, 10, 0},
        {"a count", 3, {}, {}, 0, 3},
        {"a share, rounded up", {}, 25, {}, 10, 3},
        {"the smallest share is one", {}, 1, {}, 10, 1},
        {"a share of nothing", {}, 50, {}, 0, 0},
        {"no share of something", {}, 0, {}, 10, 0},
        {"the larger of the two, the share", 2, 50, {}, 10, 5},
        {"the larger of the two, the count", 7, 50, {}, 10, 7},
        {"limits alone", {}, {}, {{"cpu", q("2")}}, 0, 4},
        {"the tighter of two limits", {}, {}, {{"cpu", q("2")}, {"memory", q("3Gi")}}, 0, 3},
        {"limits hold a count down", 10, {}, {{"cpu", q("1750m")}}, 0, 3},
        {"limits do not raise a count", 2, {}, {{"cpu", q("100")}}, 0, 2},
        {"limits on what the pod does not ask for", 2, {}, {{"nvidia.com/gpu", q("0")}}, 0, 2},
        {"limits alone, on what the pod does not ask for", {}, {}, {{"nvidia.com/gpu", q("4")}}, 0, 0},
        {"limits too small for one", 2, {}, {{"memory", q("1023Mi")}}, 0, 0},
        {"a count of none, and limits", 0, {}, {{"cpu", q("2")}}, 0, 0},
        {"more than can be planned", 2'000'000'000, {}, {}, 0, kMostHeadroomPods},
        {"a share of more than there can be", {}, 2'000'000'000, {}, 2'000'000'000, kMostHeadroomPods},
    };
    Resources requests;
    requests.cpu_milli = 500;
    requests.memory_bytes = std::int64_t{1} << 30;
    requests.pods = 1;
    for (const Case& c : cases) {
        api::CapacityBuffer buffer;
        buffer.replicas = c.replicas;
        buffer.percentage = c.percentage;
        if (!c.limits.empty()) buffer.limits = c.limits;
        EXPECT_EQ(headroom_replicas(buffer, c.scalable, requests), c.expected) << c.name;
    }
}

}  // namespace
}  // namespace joiner::rules
