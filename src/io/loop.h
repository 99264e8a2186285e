// The one loop: wall and monotonic time, timers, and work posted to it. Everything that decides runs on the
// loop's thread; only post() and stop() may be called from another. RealLoop (io/real_loop.h) waits on the
// network and the clock, sim::VirtualLoop moves time by itself.
#pragma once

#include <cstdint>
#include <functional>

#include "base/time.h"

namespace joiner::io {

using Task = std::function<void()>;
// Never 0 for a live timer; ids are not used again.
using TimerId = std::uint64_t;

class Loop {
  public:
    virtual ~Loop() = default;

    virtual WallTime now() const = 0;
    // Time since some fixed moment that never goes back; for time-outs and rates.
    virtual Duration monotonic() const = 0;

    // Runs `task` once, no earlier than `delay` from now. Timers due at the same moment run in the order they
    // were set.
    virtual TimerId after(Duration delay, Task task) = 0;
    // No effect on a timer that has run or was cancelled.
    virtual void cancel(TimerId id) = 0;
    // Runs `task` soon, after the task now running. Any thread.
    virtual void post(Task task) = 0;

    // Returns after stop().
    virtual void run() = 0;
    virtual void stop() = 0;  // Any thread, and signal handlers of RealLoop's own.
};

}  // namespace joiner::io
