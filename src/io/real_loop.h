// The loop of a running process: the machine's clock, timers, tasks posted from any thread, signals, and
// libcurl's multi handle, which is also what it sleeps on. Owned by main; outlives the CurlHttp that borrows
// it. SIGPIPE is ignored in the whole process from the first RealLoop on, since a peer may close a socket
// under TLS.
#pragma once

#include <memory>

#include "io/loop.h"

namespace joiner::io {

class RealLoop final : public Loop {
  public:
    RealLoop();
    ~RealLoop() override;
    RealLoop(const RealLoop&) = delete;
    RealLoop& operator=(const RealLoop&) = delete;

    // A clock that is set does not make it jump (io/steady_wall.h). Loop thread.
    WallTime now() const override;
    // Counts on while the machine is suspended, so that a lease is not believed valid after a long sleep. Any
    // thread.
    Duration monotonic() const override;
    TimerId after(Duration delay, Task task) override;
    void cancel(TimerId id) override;
    void post(Task task) override;
    // A stop() that came before makes it return at once; it may be called again afterwards.
    void run() override;
    void stop() override;

    // From now on `signal` runs `task` on this loop instead of its default action. One loop a process may do
    // this.
    void on_signal(int signal, Task task);

    // For CurlHttp: the CURLM*, and what to run after each curl_multi_perform(). One at a time; null takes it
    // away.
    void* multi() const;
    void set_network_task(Task task);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::io
