// Whether the loop still turns, for /healthz. A loop that hangs answers nothing by itself, so it leaves a
// mark each second, and the health server's thread looks how old that is. Outlives the server that asks.
#pragma once

#include <atomic>

#include "base/time.h"
#include "io/loop.h"
#include "observe/http_server.h"

namespace joiner::observe {

class Heartbeat {
  public:
    // REQUIRES: `loop` may be asked for its monotonic time by any thread.
    explicit Heartbeat(io::Loop& loop);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    // 200, or 500 once the loop has not turned for longer than any one piece of work takes. Any thread.
    Page page() const;

  private:
    void beat();

    io::Loop& loop_;
    io::TimerId timer_ = 0;
    std::atomic<Duration::rep> last_{0};
};

}  // namespace joiner::observe
