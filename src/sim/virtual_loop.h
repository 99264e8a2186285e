// A loop whose time jumps from timer to timer, so that hours pass in milliseconds and the same run always
// goes the same way. Everything happens inside run…() and step(), on the caller's thread; only post() may
// come from another.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "io/loop.h"
#include "io/timer_queue.h"

namespace joiner::sim {

class VirtualLoop final : public io::Loop {
  public:
    explicit VirtualLoop(WallTime start = WallTime{std::chrono::seconds{1'800'000'000}}) : start_(start) {}

    WallTime now() const override { return start_ + elapsed_; }
    Duration monotonic() const override { return elapsed_; }
    io::TimerId after(Duration delay, io::Task task) override;
    void cancel(io::TimerId id) override { timers_.cancel(id); }
    void post(io::Task task) override;

    // Until stop(), or until nothing is left to do.
    void run() override;
    void stop() override { is_stopping_ = true; }

    // The next posted task, or else the next timer, with time moved to it. False: there was nothing to do, or
    // the timer lies beyond `end`.
    bool step();
    bool step(Duration end);
    // Runs what is due up to `end`, and leaves the time there.
    void run_until(WallTime end);
    void run_for(Duration span);
    // Runs what is due now without moving time, and stops after `limit` tasks. True: nothing due is left.
    bool run_ready(std::size_t limit = 1'000'000);
    // Steps until `is_done` holds, looking after each step; false when it does not within `limit` of virtual
    // time.
    bool run_until(const std::function<bool()>& is_done, Duration limit);
    // Until no task is posted and no timer set, or `limit` of virtual time has gone. True: idle. A world with
    // periodic timers is never idle.
    bool run_until_idle(Duration limit);

    std::size_t steps() const { return steps_; }

  private:
    bool run_posted();

    WallTime start_;
    Duration elapsed_{0};
    io::TimerQueue timers_;
    std::vector<io::Task> batch_;  // Posted tasks being run, from next_ on.
    std::size_t next_ = 0;
    std::size_t steps_ = 0;
    bool is_stopping_ = false;

    std::mutex mutex_;
    std::vector<io::Task> posted_;
};

}  // namespace joiner::sim
