#include "observe/http_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

namespace joiner::observe {
namespace {

// A port that another process has is refused; one whose last connections are still closing is not. A socket
// of IPv6 takes connections of IPv4 too, whatever the machine's default is; on one of IPv4 that means
// nothing.
void set_options(int socket) {
    constexpr int kYes = 1;
    constexpr int kNo = 0;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &kYes, sizeof kYes);
    setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &kNo, sizeof kNo);
}

constexpr const char* kEveryAddress[] = {"::", "0.0.0.0"};

}  // namespace

class HttpServer::Impl {
  public:
    Impl() {
        // Two threads serve a scraper and a probe; the library's default is one a core and more.
        server.new_task_queue = [] { return new httplib::ThreadPool(2); };
        server.set_socket_options(set_options);
    }
    ~Impl() {
        server.stop();
        if (thread.joinable()) thread.join();
    }
    // The port that is listened on; nought or less where there is none.
    int bind(const char* address, int wanted) {
        if (wanted == 0) return server.bind_to_any_port(address);
        return server.bind_to_port(address, wanted) ? wanted : 0;
    }

    httplib::Server server;
    std::thread thread;
    std::atomic<bool> has_ended = false;
    int port = 0;
};

HttpServer::HttpServer() : impl_(std::make_unique<Impl>()) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const {
    return impl_->port;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(int port,
                                                      std::map<std::string, std::function<Page()>> pages) {
    std::unique_ptr<HttpServer> out(new HttpServer());
    Impl& impl = *out->impl_;
    for (auto& [path, answer] : pages) {
        impl.server.Get(
            path, [make_page = std::move(answer)](const httplib::Request&, httplib::Response& response) {
                Page page = make_page();
                response.status = page.code;
                response.set_content("", page.content_type);
                response.body = std::move(page.body);  // set_content() would copy megabytes.
            });
    }
    for (const char* address : kEveryAddress) {
        if (impl.port <= 0) impl.port = impl.bind(address, port);
    }
    if (impl.port <= 0) {
        return fail(ErrorKind::kUnavailable,
                    port == 0
                        ? "no free port"
                        : fmt::format("port {} cannot be opened; is another controller running?", port));
    }
    impl.thread = std::thread([&impl] {
        impl.server.listen_after_bind();
        impl.has_ended.store(true);
    });
    // Before it listens there is nothing that stop() could stop, and who joined the thread would wait for
    // ever.
    while (!impl.server.is_running() && !impl.has_ended.load()) std::this_thread::yield();
    return out;
}

}  // namespace joiner::observe
