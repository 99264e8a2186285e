#include "sim/virtual_loop.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace joiner::sim {

io::TimerId VirtualLoop::after(Duration delay, io::Task task) {
    return timers_.add(elapsed_ + std::max(delay, Duration{0}), std::move(task));
}

void VirtualLoop::post(io::Task task) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
}

bool VirtualLoop::run_posted() {
    if (next_ == batch_.size()) {
        batch_.clear();
        next_ = 0;
        const std::lock_guard lock(mutex_);
        batch_.swap(posted_);
    }
    if (batch_.empty()) return false;
    const io::Task task = std::move(batch_[next_++]);
    task();
    return true;
}

bool VirtualLoop::step() {
    return step(Duration::max());
}

bool VirtualLoop::step(Duration end) {
    ++steps_;
    if (run_posted()) return true;
    const auto due = timers_.next_due();
    if (!due || *due > end) return false;
    elapsed_ = std::max(elapsed_, *due);
    auto task = timers_.take_due(elapsed_, std::numeric_limits<io::TimerId>::max());
    if (task) (*task)();
    return true;
}

void VirtualLoop::run() {
    while (!is_stopping_ && step()) {
    }
    is_stopping_ = false;
}

void VirtualLoop::run_until(WallTime end) {
    const Duration until = end - start_;
    while (!is_stopping_ && step(until)) {
    }
    if (!is_stopping_) elapsed_ = std::max(elapsed_, until);
    is_stopping_ = false;
}

void VirtualLoop::run_for(Duration span) {
    run_until(now() + span);
}

bool VirtualLoop::run_ready(std::size_t limit) {
    for (; limit > 0; --limit) {
        if (!step(elapsed_)) return true;
    }
    return false;
}

bool VirtualLoop::run_until(const std::function<bool()>& is_done, Duration limit) {
    const Duration end = elapsed_ + limit;
    while (!is_done()) {
        if (!step(end)) {
            elapsed_ = std::max(elapsed_, end);
            return is_done();
        }
    }
    return true;
}

bool VirtualLoop::run_until_idle(Duration limit) {
    const Duration end = elapsed_ + limit;
    while (step(end)) {
    }
    return timers_.empty();
}

}  // namespace joiner::sim
