#include "io/timer_queue.h"

namespace joiner::io {

TimerId TimerQueue::add(Duration due, Task task) {
    const TimerId id = next_id_++;
    tasks_.emplace(std::pair{due, id}, std::move(task));
    due_.emplace(id, due);
    return id;
}

void TimerQueue::cancel(TimerId id) {
    const auto found = due_.find(id);
    if (found == due_.end()) return;
    // The task is destroyed last, since what it captures may cancel other timers.
    auto node = tasks_.extract({found->second, id});
    due_.erase(found);
}

std::optional<Duration> TimerQueue::next_due() const {
    if (tasks_.empty()) return std::nullopt;
    return tasks_.begin()->first.first;
}

std::optional<Task> TimerQueue::take_due(Duration now, TimerId limit) {
    for (auto it = tasks_.begin(); it != tasks_.end() && it->first.first <= now; ++it) {
        if (it->first.second >= limit) continue;
        Task task = std::move(it->second);
        due_.erase(it->first.second);
        tasks_.erase(it);
        return task;
    }
    return std::nullopt;
}

}  // namespace joiner::io
