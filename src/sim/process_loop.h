// The share of a loop that belongs to one pretend process: after kill() nothing that was set or posted
// through it runs any more, as after kill -9. Between freeze() and thaw() it is stopped, as by SIGSTOP: what
// falls due meanwhile runs afterwards, in the order it fell due. Loop thread. The loop outlives it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "io/loop.h"

namespace joiner::sim {

class ProcessLoop final : public io::Loop {
  public:
    explicit ProcessLoop(io::Loop& loop) : loop_(loop) {}

    void kill() { state_->is_alive = false; }
    void freeze() { state_->is_frozen = true; }
    void thaw() {
        state_->is_frozen = false;
        for (io::Task& task : std::exchange(state_->held, {})) post(std::move(task));
    }

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
    struct State {
        bool is_alive = true;
        bool is_frozen = false;
        std::vector<io::Task> held;
    };
    io::Task while_alive(io::Task task) const {
        return [task = std::move(task), state = state_]() mutable {
            if (!state->is_alive) return;
            if (state->is_frozen) return state->held.push_back(std::move(task));
            task();
        };
    }

    io::Loop& loop_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace joiner::sim
