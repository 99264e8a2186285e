#include "io/real_loop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

namespace joiner::io {
namespace {

using std::chrono::milliseconds;

TEST(RealLoop, timers_run_no_earlier_than_asked_and_in_order) {
    RealLoop loop;
    std::string ran;
    const Duration start = loop.monotonic();
    Duration second_at{0};
    loop.after(milliseconds{30}, [&] {
        ran += 'b';
        second_at = loop.monotonic() - start;
        loop.stop();
    });
    loop.after(milliseconds{5}, [&] { ran += 'a'; });
    loop.run();
    EXPECT_EQ(ran, "ab");
    EXPECT_GE(second_at, milliseconds{30});
}

TEST(RealLoop, a_task_posted_from_another_thread_wakes_a_sleeping_loop) {
    RealLoop loop;
    bool ran = false;
    std::thread other;
    loop.post([&] {
        other = std::thread([&] {
            loop.post([&] {
                ran = true;
                loop.stop();
            });
        });
    });
    const Duration start = loop.monotonic();
    loop.run();
    other.join();
    EXPECT_TRUE(ran);
    EXPECT_LT(loop.monotonic() - start, std::chrono::seconds{20});
}

TEST(RealLoop, posted_tasks_run_in_order_and_a_task_posted_by_a_task_runs_after_it) {
    RealLoop loop;
    std::string ran;
    loop.post([&] {
        loop.post([&] {
            ran += 'c';
            loop.stop();
        });
        ran += 'a';
    });
    loop.post([&] { ran += 'b'; });
    loop.run();
    EXPECT_EQ(ran, "abc");
}

TEST(RealLoop, many_threads_post_and_nothing_is_lost) {
    RealLoop loop;
    constexpr int kThreads = 4;
    constexpr int kEach = 1000;
    int count = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kEach; ++i) {
                loop.post([&] {
                    if (++count == kThreads * kEach) loop.stop();
                });
            }
        });
    }
    loop.run();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, kThreads * kEach);
}

TEST(RealLoop, a_stop_from_before_makes_run_return_and_is_then_spent) {
    RealLoop loop;
    loop.stop();
    loop.run();
    bool ran = false;
    loop.after(milliseconds{1}, [&] {
        ran = true;
        loop.stop();
    });
    loop.run();
    EXPECT_TRUE(ran);
}

TEST(RealLoop, a_timer_with_no_delay_that_sets_itself_again_does_not_starve_posted_tasks) {
    RealLoop loop;
    int runs = 0;
    std::function<void()> again = [&] {
        if (++runs == 50) loop.post([&] { loop.stop(); });
        loop.after(Duration{0}, again);
    };
    loop.after(Duration{0}, again);
    loop.run();
    EXPECT_GE(runs, 50);
}

TEST(RealLoop, a_signal_becomes_a_task) {
    RealLoop loop;
    int signals = 0;
    loop.on_signal(SIGUSR1, [&] {
        if (++signals == 2) loop.stop();
    });
    loop.post([&] { kill(getpid(), SIGUSR1); });
    loop.after(milliseconds{20}, [&] { kill(getpid(), SIGUSR1); });
    loop.run();
    EXPECT_EQ(signals, 2);
}

TEST(RealLoop, a_signal_wakes_a_sleeping_loop) {
    RealLoop loop;
    bool signalled = false;
    loop.on_signal(SIGUSR1, [&] {
        signalled = true;
        loop.stop();
    });
    const pthread_t sleeper = pthread_self();
    std::thread other;
    loop.post([&] {
        other = std::thread([sleeper] {
            poll(nullptr, 0, 50);
            pthread_kill(sleeper, SIGUSR1);
        });
    });
    const Duration start = loop.monotonic();
    loop.run();
    other.join();
    EXPECT_TRUE(signalled);
    EXPECT_LT(loop.monotonic() - start, std::chrono::seconds{20});
}

TEST(RealLoop, a_sleeping_loop_uses_no_processor_time) {
    RealLoop loop;
    loop.after(milliseconds{200}, [&] { loop.stop(); });
    const clock_t before = clock();
    loop.run();
    EXPECT_LT(clock() - before, CLOCKS_PER_SEC / 20);
}

}  // namespace
}  // namespace joiner::io
