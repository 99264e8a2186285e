// The timers of a loop: a queue in order of (due, id), so that timers due at the same moment run in the order
// they were set. Knows no clock. One owner, one thread.
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "io/loop.h"

namespace joiner::io {

class TimerQueue {
  public:
    TimerId add(Duration due, Task task);
    // No effect when `id` has been taken or cancelled.
    void cancel(TimerId id);

    std::optional<Duration> next_due() const;
    // The first task due at or before `now` among timers set before `limit` (an id from end_id()), or
    // nullopt. The limit keeps a timer that sets itself again with no delay from running for ever.
    std::optional<Task> take_due(Duration now, TimerId limit);
    // Higher than every id given so far.
    TimerId end_id() const { return next_id_; }
    bool empty() const { return tasks_.empty(); }

  private:
    TimerId next_id_ = 1;
    std::map<std::pair<Duration, TimerId>, Task> tasks_;
    std::unordered_map<TimerId, Duration> due_;
};

}  // namespace joiner::io
