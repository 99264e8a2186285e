// A Loop whose time moves only when a test says so. Timers and posted tasks run in advance() and run_ready(),
// in the order RealLoop would run them. post() may come from any thread; the rest belongs to the test's.
#pragma once

#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "io/loop.h"
#include "io/timer_queue.h"

namespace joiner::io::testing {

class ManualLoop final : public Loop {
  public:
    explicit ManualLoop(WallTime start = WallTime{std::chrono::seconds{1'800'000'000}}) : start_(start) {}

    WallTime now() const override { return start_ + elapsed_; }
    Duration monotonic() const override { return elapsed_; }
    TimerId after(Duration delay, Task task) override {
        return timers_.add(elapsed_ + std::max(delay, Duration{0}), std::move(task));
    }
    void cancel(TimerId id) override { timers_.cancel(id); }
    void post(Task task) override {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(task));
    }

    // Jumps from timer to timer until stop(), or until nothing is left to do.
    void run() override {
        while (!is_stopping_) {
            run_ready();
            const auto due = timers_.next_due();
            if (!due) break;
            elapsed_ = std::max(elapsed_, *due);
        }
        is_stopping_ = false;
    }
    void stop() override { is_stopping_ = true; }

    // What is due now and what is posted, until nothing is.
    void run_ready() {
        while (run_posted() || run_one_timer()) {
        }
    }
    // Moves time on by `span`, running each timer at its moment.
    void advance(Duration span) {
        const Duration end = elapsed_ + span;
        run_ready();
        while (timers_.next_due() && *timers_.next_due() <= end) {
            elapsed_ = std::max(elapsed_, *timers_.next_due());
            run_ready();
        }
        elapsed_ = end;
    }
    // As a process stopped for so long sees it: time has gone, and nothing has run yet.
    void jump(Duration span) { elapsed_ += span; }
    bool has_timers() const { return !timers_.empty(); }

  private:
    bool run_posted() {
        std::vector<Task> batch;
        {
            const std::lock_guard lock(mutex_);
            batch.swap(posted_);
        }
        for (const Task& task : batch) task();
        return !batch.empty();
    }
    bool run_one_timer() {
        auto task = timers_.take_due(elapsed_, std::numeric_limits<TimerId>::max());
        if (task) (*task)();
        return task.has_value();
    }

    WallTime start_;
    Duration elapsed_{0};
    TimerQueue timers_;
    std::mutex mutex_;
    std::vector<Task> posted_;
    bool is_stopping_ = false;
};

}  // namespace joiner::io::testing
