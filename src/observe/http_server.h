// The small HTTP servers for /metrics, /healthz and /readyz. Each has its own threads; what they ask must be
// safe to call from them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace joiner::observe {

struct Page {
    int code = 200;
    std::string content_type = "text/plain; version=0.0.4";
    std::string body;
};

class HttpServer {
  public:
    // Listens on every address of the machine, of IPv6 and of IPv4; where there is no IPv6, on those of IPv4.
    // `pages`: path to what answers it. Port 0 picks a free one.
    static Result<std::unique_ptr<HttpServer>> start(int port,
                                                     std::map<std::string, std::function<Page()>> pages);
    ~HttpServer();
    int port() const;

  private:
    HttpServer();
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::observe
