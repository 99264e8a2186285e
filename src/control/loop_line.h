// Lets the threads of a server ask what only the loop's thread may look at, and wait for the answer. Any
// thread but the loop's asks; the loop's closes it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/time.h"
#include "io/loop.h"

namespace joiner::control {

class LoopLine {
  public:
    explicit LoopLine(io::Loop& loop) : loop_(loop) {}
    LoopLine(const LoopLine&) = delete;
    LoopLine& operator=(const LoopLine&) = delete;

    template <typename T>
    using Reply = std::function<void(T)>;

    // Runs `question` on the loop; it calls the reply then or later, on the loop. nullopt: it has not within
    // `patience`, or the line is closed.
    template <typename T>
    std::optional<T> ask(std::function<void(Reply<T>)> question, Duration patience) {
        auto slot = std::make_shared<std::optional<T>>();
        loop_.post([question = std::move(question), slot, end = end_] {
            question([slot, end](T answer) {
                const std::lock_guard lock(end->mutex);
                *slot = std::move(answer);
                end->changed.notify_all();
            });
        });
        std::unique_lock lock(end_->mutex);
        end_->changed.wait_for(lock, patience, [&] { return slot->has_value() || end_->is_closed; });
        return std::exchange(*slot, std::nullopt);
    }
    // Whoever waits goes without an answer, and so does who asks later.
    void close() {
        const std::lock_guard lock(end_->mutex);
        end_->is_closed = true;
        end_->changed.notify_all();
    }

  private:
    // Outlives the line, for replies that come too late.
    struct End {
        std::mutex mutex;
        std::condition_variable changed;
        bool is_closed = false;
    };

    io::Loop& loop_;
    std::shared_ptr<End> end_ = std::make_shared<End>();
};

}  // namespace joiner::control
