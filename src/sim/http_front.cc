#include "sim/http_front.h"

#include <fmt/format.h>
// As the system's library is built; the layout of its classes depends on them.
#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace joiner::sim {
namespace {

// Each open connection holds a thread, idle ones too.
constexpr std::size_t kThreads = 160;
constexpr std::size_t kMaxBodyBytes = 64u << 20;
constexpr std::chrono::milliseconds kLook{200};  // How often a thread looks whether it is still wanted.

// One answer on its way from the loop's thread to a connection's.
class FrontExchange final : public Exchange {
  public:
    void reply(Reply reply) override {
        const std::lock_guard lock(mutex_);
        reply_ = std::move(reply);
        is_ended_ = true;
        changed_.notify_one();
    }
    void start(int code, std::string content_type) override {
        const std::lock_guard lock(mutex_);
        start_ = Reply{code, std::move(content_type), {}, {}};
        changed_.notify_one();
    }
    void chunk(std::shared_ptr<const std::string> text) override {
        const std::lock_guard lock(mutex_);
        chunks_.push_back(std::move(text));
        changed_.notify_one();
    }
    void end() override {
        const std::lock_guard lock(mutex_);
        is_ended_ = true;
        changed_.notify_one();
    }
    bool is_closed() const override { return is_closed_; }

    // The connection's side. The answer, or the start of a stream; nullopt when `is_stopping` comes first.
    std::optional<Reply> wait_for_answer(const std::atomic<bool>& is_stopping, bool& is_stream) {
        std::unique_lock lock(mutex_);
        while (!reply_ && !start_ && !is_stopping) changed_.wait_for(lock, kLook);
        is_stream = !reply_ && start_;
        if (reply_) return std::move(reply_);
        return std::move(start_);
    }
    // What has come since, after a short wait; `is_over` when nothing more will.
    std::deque<std::shared_ptr<const std::string>> take_chunks(bool& is_over) {
        std::unique_lock lock(mutex_);
        if (chunks_.empty() && !is_ended_) changed_.wait_for(lock, kLook);
        is_over = is_ended_;
        return std::exchange(chunks_, {});
    }
    void close() { is_closed_ = true; }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Reply> reply_;
    std::optional<Reply> start_;
    std::deque<std::shared_ptr<const std::string>> chunks_;
    bool is_ended_ = false;
    std::atomic<bool> is_closed_ = false;
};

// A connected socket whose waits end when the front is stopped, which those of httplib's own do not.
class Connection final : public httplib::Stream {
  public:
    Connection(socket_t fd, const std::atomic<bool>& is_stopping) : fd_(fd), is_stopping_(is_stopping) {}

    // Until `events` or a hang-up; false when the front stops or `limit` has gone first.
    bool wait(short events, std::chrono::milliseconds limit) const {
        for (auto left = limit; left.count() > 0 && !is_stopping_; left -= kLook) {
            pollfd entry{fd_, events, 0};
            if (poll(&entry, 1, static_cast<int>(std::min(kLook, left).count())) > 0) return true;
        }
        return false;
    }
    bool is_readable() const override { return wait(POLLIN, kPatience); }
    bool is_writable() const override {
        // A client that closed its end wants no more; one that sends meanwhile would be pipelining, which
        // nobody does.
        char byte = 0;
        if (recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return false;
        return wait(POLLOUT, kPatience);
    }
    ssize_t read(char* data, std::size_t size) override {
        // httplib reads the head of a request byte by byte.
        if (at_ == held_.size()) {
            if (!is_readable()) return -1;
            held_.resize(16'384);
            at_ = 0;
            const ssize_t got = recv(fd_, held_.data(), held_.size(), 0);
            held_.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
            if (got <= 0) return got;
        }
        const std::size_t count = std::min(size, held_.size() - at_);
        held_.copy(data, count, at_);
        at_ += count;
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* data, std::size_t size) override {
        if (!wait(POLLOUT, kPatience)) return -1;
        return send(fd_, data, size, MSG_NOSIGNAL);
    }
    void get_remote_ip_and_port(std::string& ip, int& port) const override {
        ip = "127.0.0.1";
        port = 0;
    }
    void get_local_ip_and_port(std::string& ip, int& port) const override {
        get_remote_ip_and_port(ip, port);
    }
    socket_t socket() const override { return fd_; }
    // Another request, or at least its beginning, comes within `limit`.
    bool wait_for_request(std::chrono::milliseconds limit) const {
        return at_ < held_.size() || wait(POLLIN, limit);
    }

  private:
    static constexpr std::chrono::milliseconds kPatience{30'000};
    socket_t fd_;
    const std::atomic<bool>& is_stopping_;
    std::string held_;
    std::size_t at_ = 0;
};

class StoppableServer final : public httplib::Server {
  public:
    explicit StoppableServer(const std::atomic<bool>& is_stopping) : is_stopping_(is_stopping) {}

  private:
    bool process_and_close_socket(socket_t fd) override {
        Connection connection(fd, is_stopping_);
        bool is_good = true;
        bool is_closed = false;
        while (is_good && !is_closed && !is_stopping_ && connection.wait_for_request(kIdle)) {
            is_good = process_request(connection, false, is_closed, [](httplib::Request&) {});
        }
        shutdown(fd, SHUT_RDWR);
        close(fd);
        return is_good;
    }

    static constexpr std::chrono::milliseconds kIdle{60'000};
    const std::atomic<bool>& is_stopping_;
};

}  // namespace

class HttpFront::Impl {
  public:
    Impl(io::Loop& loop, ApiServer& server) : loop_(loop), server_(server) {
        http_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
        http_.set_payload_max_length(kMaxBodyBytes);
        http_.set_tcp_nodelay(true);
        // A body is read before the handlers below come in, but not before this one; httplib would wait in
        // vain for the body of a DELETE that has none.
        http_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
            const bool has_body =
                request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
            if (has_body && request.method != "GET") return httplib::Server::HandlerResponse::Unhandled;
            answer(request, response);
            return httplib::Server::HandlerResponse::Handled;
        });
        const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
            answer(request, response);
        };
        http_.Post("/[^]*", handler).Put("/[^]*", handler).Patch("/[^]*", handler).Delete("/[^]*", handler);
    }

    ~Impl() {
        *is_alive_ = false;
        stop();
        if (thread_.joinable()) thread_.join();
    }

    bool listen(int wanted) {
        constexpr const char* kLoopback = "127.0.0.1";
        port = wanted == 0                             ? http_.bind_to_any_port(kLoopback)
               : http_.bind_to_port(kLoopback, wanted) ? wanted
                                                       : -1;
        if (port <= 0) return false;
        thread_ = std::thread([this] { http_.listen_after_bind(); });
        return true;
    }

    void stop() {
        is_stopping_ = true;
        http_.stop();
    }

    int port = -1;

  private:
    void answer(const httplib::Request& from, httplib::Response& to) {
        auto request = std::make_shared<Request>();
        request->method = from.method;
        request->target = from.target;
        request->body = from.body;
        for (const auto& [name, value] : from.headers) request->headers.emplace_back(name, value);
        auto exchange = std::make_shared<FrontExchange>();
        loop_.post([this, alive = is_alive_, request, exchange] {
            if (*alive) server_.handle(*request, exchange);
        });
        bool is_stream = false;
        auto reply = exchange->wait_for_answer(is_stopping_, is_stream);
        if (!reply) {
            to.status = 503;
            return;
        }
        to.status = reply->code;
        for (const auto& [name, value] : reply->headers) to.headers.emplace(name, value);
        if (!is_stream) {
            to.set_content(std::move(reply->body), reply->content_type);
            return;
        }
        // The parameter keeps httplib from compressing, which would hold events back.
        to.set_chunked_content_provider(
            reply->content_type + ";stream=watch",
            [this, exchange](std::size_t, httplib::DataSink& sink) { return send_chunks(*exchange, sink); },
            [exchange](bool) { exchange->close(); });
    }

    bool send_chunks(FrontExchange& exchange, httplib::DataSink& sink) const {
        bool is_over = false;
        for (const auto& text : exchange.take_chunks(is_over)) {
            if (!sink.write(text->data(), text->size())) return false;
        }
        if (is_over || is_stopping_) sink.done();
        return true;
    }

    io::Loop& loop_;
    ApiServer& server_;
    std::atomic<bool> is_stopping_ = false;
    StoppableServer http_{is_stopping_};
    std::thread thread_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);  // Looked at on the loop's thread only.
};

HttpFront::HttpFront(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpFront::~HttpFront() = default;

Result<std::unique_ptr<HttpFront>> HttpFront::listen(io::Loop& loop, ApiServer& server, int port) {
    auto impl = std::make_unique<Impl>(loop, server);
    if (!impl->listen(port))
        return fail(ErrorKind::kUnavailable, fmt::format("cannot listen on 127.0.0.1:{}", port));
    return std::unique_ptr<HttpFront>(new HttpFront(std::move(impl)));
}

int HttpFront::port() const {
    return impl_->port;
}
std::string HttpFront::url() const {
    return fmt::format("http://127.0.0.1:{}", impl_->port);
}
void HttpFront::stop() {
    impl_->stop();
}

}  // namespace joiner::sim
