#include "control/batch_window.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Pods that come each `gap` for `lasts`: how long each batch was open, in milliseconds.
std::vector<std::int64_t> batches(BatchWindow window, milliseconds gap, Duration lasts) {
    std::vector<std::int64_t> out;
    Duration opened{0};
    bool is_open = false;
    for (Duration now = seconds{100}; now < seconds{100} + lasts; now += gap) {
        if (!is_open) opened = now;
        is_open = true;
        const Duration left = window.note(now);
        if (left >= gap && now + gap < seconds{100} + lasts) continue;
        window.close();
        is_open = false;
        out.push_back(std::chrono::duration_cast<milliseconds>(now + left - opened).count());
    }
    return out;
}

TEST(BatchWindow, a_lone_pod_waits_for_a_moment) {
    EXPECT_EQ(batches({seconds{1}, seconds{10}}, milliseconds{10}, milliseconds{1}),
              std::vector<std::int64_t>{150});
}

TEST(BatchWindow, a_burst_is_gathered_until_it_is_quiet) {
    EXPECT_EQ(batches({seconds{1}, seconds{10}}, milliseconds{10}, milliseconds{401}),
              std::vector<std::int64_t>{550});
}

TEST(BatchWindow, where_pods_keep_coming_batches_grow_with_the_time_for_which_they_have) {
    const auto lengths = batches({seconds{1}, seconds{10}}, milliseconds{50}, seconds{40});
    ASSERT_GE(lengths.size(), 6U);
    EXPECT_EQ(lengths[0], 1000);
    EXPECT_EQ(lengths[1], 1000);
    EXPECT_NEAR(static_cast<double>(lengths[2]), 1000, 50) << "half of two seconds";
    EXPECT_NEAR(static_cast<double>(lengths[4]), 2400, 50) << "half of about five";
    EXPECT_EQ(lengths[lengths.size() - 2], 10'000) << "and no longer than that";
}

TEST(BatchWindow, late_in_a_stream_a_gap_ends_no_batch) {
    BatchWindow window({seconds{1}, seconds{10}});
    Duration left{0};
    for (int i = 0; i <= 60; ++i) left = window.note(seconds{100} + milliseconds{100} * i);
    EXPECT_EQ(left, Duration{0}) << "a second has passed";
    window.close();
    EXPECT_EQ(window.note(seconds{106} + milliseconds{200}), milliseconds{310}) << "a twentieth of its age";
}

TEST(BatchWindow, a_pause_ends_the_stream) {
    BatchWindow window({seconds{1}, seconds{10}});
    for (int i = 0; i <= 100; ++i) window.note(seconds{100} + milliseconds{100} * i);
    window.close();
    EXPECT_EQ(window.note(seconds{111}), milliseconds{150});
}

TEST(BatchWindow, the_settings_are_upper_limits) {
    EXPECT_EQ(batches({milliseconds{20}, seconds{10}}, milliseconds{50}, milliseconds{1}),
              std::vector<std::int64_t>{20});
    EXPECT_EQ(batches({seconds{1}, milliseconds{300}}, milliseconds{10}, milliseconds{301}).front(), 300);
}

}  // namespace
}  // namespace joiner::control
