#include "observe/http_server.h"

#include <fmt/format.h>
#include <httplib.h>

#include <thread>

namespace joiner::observe {

class HttpServer::Impl {
  public:
    Impl() {
        // Two threads serve a scraper and a probe; the library's default is one a core and more.
        server.new_task_queue = [] { return new httplib::ThreadPool(2); };
    }
    ~Impl() {
        server.stop();
        if (thread.joinable()) thread.join();
    }
    httplib::Server server;
    std::thread thread;
    int port = 0;
};

HttpServer::HttpServer() : impl_(std::make_unique<Impl>()) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const {
    return impl_->port;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& address, int port,
                                                      std::map<std::string, std::function<Page()>> pages) {
    std::unique_ptr<HttpServer> out(new HttpServer());
    Impl& impl = *out->impl_;
    for (auto& [path, answer] : pages) {
        impl.server.Get(
            path, [make_page = std::move(answer)](const httplib::Request&, httplib::Response& response) {
                const Page page = make_page();
                response.status = page.code;
                response.set_content(page.body, page.content_type);
            });
    }
    if (port == 0) {
        impl.port = impl.server.bind_to_any_port(address);
        if (impl.port < 0) return fail(ErrorKind::kUnavailable, fmt::format("no free port on {}", address));
    } else if (!impl.server.bind_to_port(address, port)) {
        return fail(
            ErrorKind::kUnavailable,
            fmt::format("port {} on {} cannot be opened; is another controller running?", port, address));
    } else {
        impl.port = port;
    }
    impl.thread = std::thread([&impl] { impl.server.listen_after_bind(); });
    return out;
}

}  // namespace joiner::observe
