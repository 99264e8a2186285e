#include "io/timer_queue.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace joiner::io {
namespace {

using std::chrono::seconds;
constexpr TimerId kNoLimit = std::numeric_limits<TimerId>::max();

void run_all(TimerQueue& queue, Duration now, TimerId limit = kNoLimit) {
    while (auto task = queue.take_due(now, limit)) (*task)();
}

TEST(TimerQueue, timers_run_by_due_time_and_then_in_the_order_they_were_set) {
    TimerQueue queue;
    std::string ran;
    queue.add(seconds{2}, [&] { ran += 'c'; });
    queue.add(seconds{1}, [&] { ran += 'a'; });
    queue.add(seconds{2}, [&] { ran += 'd'; });
    queue.add(seconds{1}, [&] { ran += 'b'; });
    run_all(queue, seconds{1});
    EXPECT_EQ(ran, "ab");
    run_all(queue, seconds{5});
    EXPECT_EQ(ran, "abcd");
    EXPECT_TRUE(queue.empty());
}

TEST(TimerQueue, a_cancelled_timer_does_not_run_and_cancelling_twice_is_nothing) {
    TimerQueue queue;
    std::string ran;
    const TimerId a = queue.add(seconds{1}, [&] { ran += 'a'; });
    queue.add(seconds{1}, [&] { ran += 'b'; });
    queue.cancel(a);
    queue.cancel(a);
    queue.cancel(0);
    run_all(queue, seconds{1});
    EXPECT_EQ(ran, "b");
    queue.cancel(a + 1);
}

TEST(TimerQueue, a_timer_that_sets_itself_again_waits_for_the_next_turn) {
    TimerQueue queue;
    int runs = 0;
    std::function<void()> again = [&] {
        ++runs;
        queue.add(seconds{0}, again);
    };
    queue.add(seconds{0}, again);
    run_all(queue, seconds{0}, queue.end_id());
    EXPECT_EQ(runs, 1);
}

TEST(TimerQueue, the_next_due_time_follows_cancellations) {
    TimerQueue queue;
    EXPECT_FALSE(queue.next_due());
    const TimerId first = queue.add(seconds{1}, [] {});
    queue.add(seconds{3}, [] {});
    EXPECT_EQ(*queue.next_due(), seconds{1});
    queue.cancel(first);
    EXPECT_EQ(*queue.next_due(), seconds{3});
}

}  // namespace
}  // namespace joiner::io
