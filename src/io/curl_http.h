// HttpClient over libcurl: HTTP/1.1 only, a warm pool of connections, one connection a stream. Borrows the
// RealLoop that drives it; loop thread. curl itself sends a request once more when a kept connection turns
// out to be dead before the first byte of an answer.
#pragma once

#include <functional>
#include <memory>

#include "io/http.h"
#include "io/real_loop.h"

namespace joiner::io {

class CurlHttp final : public HttpClient {
  public:
    explicit CurlHttp(RealLoop& loop);
    // Drops what is under way; nothing is called any more.
    ~CurlHttp() override;
    CurlHttp(const CurlHttp&) = delete;
    CurlHttp& operator=(const CurlHttp&) = delete;

    RequestId send(HttpRequest request, std::function<void(HttpResult)> done) override;
    RequestId stream(HttpRequest request, StreamHandlers handlers) override;
    // Allowed inside any handler, that of `id` itself too.
    void cancel(RequestId id) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::io
