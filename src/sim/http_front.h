// An ApiServer behind a real HTTP/1.1 port on the loopback address, for kubectl and for clients with sockets.
// It has threads of its own; the server is only ever touched on its loop. Created and destroyed on the loop's
// thread, while the loop is not in run().
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "io/loop.h"
#include "sim/api_server.h"

namespace joiner::sim {

class HttpFront {
  public:
    // Port 0: any free one. Errors are kUnavailable.
    static Result<std::unique_ptr<HttpFront>> listen(io::Loop& loop, ApiServer& server, int port);
    ~HttpFront();
    HttpFront(const HttpFront&) = delete;
    HttpFront& operator=(const HttpFront&) = delete;

    int port() const;
    std::string url() const;  // "http://127.0.0.1:PORT"

    // Ends open streams and lets nobody in any more, so that the destructor need not wait.
    void stop();

  private:
    class Impl;
    explicit HttpFront(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::sim
