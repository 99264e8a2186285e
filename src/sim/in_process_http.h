// An HttpClient whose server is an ApiServer on the same loop: no sockets, a latency in the loop's time, and
// faults where a test wants them. With it the unmodified kube::Client runs in the pretend world. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/http.h"
#include "io/loop.h"
#include "sim/api_server.h"
#include "sim/faults.h"

namespace joiner::sim {

struct InProcessHttpOptions {
    Duration latency = std::chrono::milliseconds{1};  // Each way.
    Faults* faults = nullptr;                         // Not owned; may be null.
    // Told of each request that reaches the server; may be absent.
    std::function<void(std::string_view method, std::string_view target)> heard = {};
};

class InProcessHttp final : public io::HttpClient {
  public:
    InProcessHttp(io::Loop& loop, ApiServer& server, InProcessHttpOptions options);
    ~InProcessHttp() override;

    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) override;
    io::RequestId stream(io::HttpRequest request, io::StreamHandlers handlers) override;
    void cancel(io::RequestId id) override;

    // While the path is dead nothing arrives on either side, and requests end by their own timeouts.
    void set_path_dead(bool is_dead);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::sim
