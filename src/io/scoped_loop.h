// The share of a loop that belongs to one owner: after close() nothing that was set or posted through it runs
// any more. So a callback on it may use whatever lives until then. The loop outlives it. Any thread may post.
#pragma once

#include <memory>
#include <utility>

#include "io/loop.h"

namespace joiner::io {

class ScopedLoop final : public Loop {
  public:
    explicit ScopedLoop(Loop& loop) : loop_(loop) {}
    ~ScopedLoop() override { close(); }
    ScopedLoop(const ScopedLoop&) = delete;
    ScopedLoop& operator=(const ScopedLoop&) = delete;

    // Loop thread.
    void close() { *is_open_ = false; }

    WallTime now() const override { return loop_.now(); }
    Duration monotonic() const override { return loop_.monotonic(); }
    TimerId after(Duration delay, Task task) override {
        return loop_.after(delay, while_open(std::move(task)));
    }
    void cancel(TimerId id) override { loop_.cancel(id); }
    void post(Task task) override { loop_.post(while_open(std::move(task))); }
    void run() override { loop_.run(); }
    void stop() override { loop_.stop(); }

  private:
    Task while_open(Task task) const {
        return [task = std::move(task), is_open = is_open_] {
            if (*is_open) task();
        };
    }

    Loop& loop_;
    // Read and written on the loop's thread only.
    std::shared_ptr<bool> is_open_ = std::make_shared<bool>(true);
};

}  // namespace joiner::io
