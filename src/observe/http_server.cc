#include "observe/http_server.h"

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <span>
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
constexpr const char* kThisMachine[] = {"127.0.0.1"};
constexpr std::size_t kMostRequestBody = 8192;

Question question_of(const httplib::Request& request) {
    Question out;
    for (const auto& [name, value] : request.params) out.parameters.emplace(name, value);
    out.host = request.get_header_value("Host");
    out.authorization = request.get_header_value("Authorization");
    out.if_none_match = request.get_header_value("If-None-Match");
    out.accepts_gzip = request.get_header_value("Accept-Encoding").find("gzip") != std::string::npos;
    return out;
}

void put(Page page, httplib::Response& response) {
    response.status = page.code;
    for (const auto& [name, value] : page.headers) response.set_header(name, value);
    if (page.shared_body == nullptr || page.shared_body->empty()) {
        response.set_content("", page.content_type);
        response.body = std::move(page.body);  // set_content() would copy megabytes.
        return;
    }
    // The library would compress a body of its own once more, and slowly.
    const std::size_t size = page.shared_body->size();
    response.set_content_provider(size, page.content_type,
                                  [body = std::move(page.shared_body)](std::size_t offset, std::size_t length,
                                                                       httplib::DataSink& sink) {
                                      return sink.write(body->data() + offset, length);
                                  });
}

}  // namespace

class HttpServer::Impl {
  public:
    explicit Impl(const HttpServerOptions& options) {
        // The library's default is a thread a core and more.
        server.new_task_queue = [threads = static_cast<std::size_t>(options.threads)] {
            return new httplib::ThreadPool(threads);
        };
        server.set_payload_max_length(kMostRequestBody);
        if (!options.keeps_connections) server.set_keep_alive_max_count(1);
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

HttpServer::HttpServer(const HttpServerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const {
    return impl_->port;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(int port,
                                                      std::map<std::string, std::function<Page()>> pages) {
    std::map<std::string, Answer> answers;
    for (auto& [path, page] : pages)
        answers.emplace(path, [make = std::move(page)](const Question&) { return make(); });
    return start({.port = port}, std::move(answers));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                      std::map<std::string, Answer> answers) {
    const int port = options.port;
    auto out = std::unique_ptr<HttpServer>(new HttpServer(options));
    Impl& impl = *out->impl_;
    for (auto& [path, answer] : answers) {
        impl.server.Get(path, [make_page = std::move(answer)](const httplib::Request& request,
                                                              httplib::Response& response) {
            put(make_page(question_of(request)), response);
        });
    }
    const std::span<const char* const> addresses = options.is_local
                                                       ? std::span<const char* const>(kThisMachine)
                                                       : std::span<const char* const>(kEveryAddress);
    for (const char* address : addresses) {
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
