// The share of a loop that belongs to one pretend process: after kill() nothing that was set or posted
// through it runs any more, as after kill -9. Loop thread. The loop outlives it.
#pragma once

#include <memory>
#include <utility>

#include "io/loop.h"

namespace joiner::sim {

class ProcessLoop final : public io::Loop {
  public:
    explicit ProcessLoop(io::Loop& loop) : loop_(loop) {}

    void kill() { *is_alive_ = false; }

    WallTime now() const override { return loop_.now(); }
    Duration monotonic() const override { return loop_.monotonic(); }
    io::TimerId after(Duration delay, io::Task task) override {
        return loop_.after(delay, while_alive(std::move(task)));
    }
    void cancel(io::TimerId id) override { loop_.cancel(id); }
    void post(io::Task task) override { loop_.post(while_alive(std::move(task))); }
    void run() override { loop_.run(); }
    void stop() override { loop_.stop(); }

  private:
    io::Task while_alive(io::Task task) const {
        return [task = std::move(task), is_alive = is_alive_] {
            if (*is_alive) task();
        };
    }

    io::Loop& loop_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::sim
