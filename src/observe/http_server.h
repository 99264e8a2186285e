// The small HTTP servers for /metrics, /healthz and /readyz, and for the page. Each has its own threads; what
// they ask must be safe to call from them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace joiner::observe {

struct Page {
    int code = 200;
    std::string content_type = "text/plain; version=0.0.4";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers = {};
    // In place of `body`, for what many ask for; it goes out as it is, compressed by whoever made it.
    std::shared_ptr<const std::string> shared_body = nullptr;
};

// What a request says beside its path; empty where it says nothing.
struct Question {
    std::map<std::string, std::string> parameters;
    std::string host;
    std::string authorization;
    std::string if_none_match;
    bool accepts_gzip = false;
};

using Answer = std::function<Page(const Question&)>;

struct HttpServerOptions {
    int port = 0;           // 0 picks a free one.
    bool is_local = false;  // 127.0.0.1 only.
    int threads = 2;        // Each serves one connection at a time.
    // A connection that stays open holds a thread: where people look on, each gets one answer.
    bool keeps_connections = true;
};

class HttpServer {
  public:
    // Listens on every address of the machine, of IPv6 and of IPv4; where there is no IPv6, on those of IPv4.
    // `pages`: path to what answers it. Port 0 picks a free one.
    static Result<std::unique_ptr<HttpServer>> start(int port,
                                                     std::map<std::string, std::function<Page()>> pages);
    static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                     std::map<std::string, Answer> answers);
    ~HttpServer();
    int port() const;

  private:
    explicit HttpServer(const HttpServerOptions& options);
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::observe
