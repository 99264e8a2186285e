#include "sim/in_process_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "sim/http_text.h"

namespace joiner::sim {

class InProcessHttp::Impl {
  public:
    Impl(io::Loop& loop, ApiServer& server, InProcessHttpOptions options)
        : loop_(loop), server_(server), options_(std::move(options)) {}
    ~Impl() {
        while (!open_.empty()) forget(open_.begin()->first);
    }

    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) {
        auto open = std::make_unique<Open>();
        open->done = std::move(done);
        open->timeout = request.timeout;
        return start(std::move(request), std::move(open));
    }

    io::RequestId stream(io::HttpRequest request, io::StreamHandlers handlers) {
        auto open = std::make_unique<Open>();
        open->handlers = std::move(handlers);
        open->is_stream = true;
        open->timeout = request.timeout;
        open->silence = request.silence;
        return start(std::move(request), std::move(open));
    }

    void cancel(io::RequestId id) { forget(id); }
    void set_path_dead(bool is_dead) { is_path_dead_ = is_dead; }

  private:
    struct Piece {
        enum class Kind { kStart, kData, kEnd };
        Kind kind = Kind::kData;
        int code = 0;
        std::shared_ptr<const std::string> text;
    };

    // The server's side of one request. It may outlive the client's side, which then shows as closed.
    class LocalExchange final : public Exchange {
      public:
        LocalExchange(Impl& owner, io::RequestId id) : owner_(&owner), id_(id) {}
        void detach() { owner_ = nullptr; }

        void reply(Reply reply) override {
            if (owner_) owner_->on_reply(id_, std::move(reply));
        }
        void start(int code, std::string content_type) override {
            if (owner_)
                owner_->on_piece(id_, {Piece::Kind::kStart, code,
                                       std::make_shared<const std::string>(std::move(content_type))});
        }
        void chunk(std::shared_ptr<const std::string> text) override {
            if (owner_) owner_->on_piece(id_, {Piece::Kind::kData, 0, std::move(text)});
        }
        void end() override {
            if (owner_) owner_->on_piece(id_, {Piece::Kind::kEnd, 0, nullptr});
        }
        bool is_closed() const override { return owner_ == nullptr; }

      private:
        Impl* owner_;
        io::RequestId id_;
    };

    struct Open {
        std::function<void(io::HttpResult)> done;
        io::StreamHandlers handlers;
        bool is_stream = false;
        std::size_t max_response_bytes = 0;
        Duration timeout{0};
        Duration silence{0};
        Faults::Decision fault;
        bool is_stuck = false;  // A piece was lost with the path: nothing more arrives.
        std::function<bool()> may_go;
        std::shared_ptr<LocalExchange> exchange;
        std::deque<Piece> pieces;   // On their way to the client.
        io::HttpResponse response;  // Of send(), while its pieces come in.
        io::TimerId delivery_timer = 0;
        io::TimerId request_timer = 0;
        io::TimerId timeout_timer = 0;
        io::TimerId silence_timer = 0;
        io::TimerId cut_timer = 0;
    };

    io::RequestId start(io::HttpRequest request, std::unique_ptr<Open> opened) {
        const io::RequestId id = next_id_++;
        Open& open = *open_.emplace(id, std::move(opened)).first->second;
        open.max_response_bytes = request.max_response_bytes;
        open.may_go = std::move(request.may_go);
        open.exchange = std::make_shared<LocalExchange>(*this, id);
        if (open.timeout > Duration{0}) {
            open.timeout_timer = loop_.after(open.timeout, [this, id] { fail_request(id, "timed out"); });
        }
        touch(open, id);
        const bool is_watch = open.is_stream && request.target.find("watch=") != std::string::npos;
        if (options_.faults) open.fault = options_.faults->decide(is_watch);
        auto shared = std::make_shared<Request>(Request{std::move(request.method), std::move(request.target),
                                                        std::move(request.headers), std::move(request.body)});
        open.request_timer = loop_.after(options_.latency, [this, id, shared] { arrive(id, *shared); });
        return id;
    }

    // The request reaches the server, or what a fault has put in its place.
    void arrive(io::RequestId id, const Request& request) {
        Open& open = *open_.at(id);
        if (open.may_go && !open.may_go()) return refuse(id);
        if (is_path_dead_) {
            open.is_stuck = true;
            return;
        }
        using Kind = Faults::Kind;
        switch (open.fault.kind) {
            case Kind::kLoseRequest:
                return fail_request(id, "connection reset by peer");
            case Kind::kThrottle:
                return on_reply(
                    id,
                    error_reply(
                        429, "TooManyRequests",
                        "the server has received too many requests and has asked us to try again later", 1));
            case Kind::kInternalError:
                return on_reply(id, error_reply(500, "InternalError", "Internal error occurred: a fault", 0));
            case Kind::kUnavailable:
                return on_reply(id, error_reply(503, "ServiceUnavailable", "apiserver not ready", 0));
            case Kind::kExpireWatch:
                if (!says_where_to_start(request)) break;
                return on_reply(id, error_reply(410, "Expired", "too old resource version: a fault", 0));
            case Kind::kCutWatch:
                open.cut_timer = loop_.after(open.fault.delay,
                                             [this, id] { fail_request(id, "connection reset by peer"); });
                break;
            case Kind::kNone:
            case Kind::kLoseAnswer:
            case Kind::kDelay:
                break;
        }
        if (options_.heard) options_.heard(request.method, request.target);
        server_.handle(request, open.exchange);
    }

    static bool says_where_to_start(const Request& request) {
        const std::string version(parse_target(request.target).parameter("resourceVersion"));
        return !version.empty() && version != "0";
    }

    static Reply error_reply(int code, std::string_view reason, std::string_view message,
                             int retry_after_seconds) {
        Reply reply;
        reply.code = code;
        reply.body = fmt::format(
            R"({{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{}","reason":"{}","code":{}}})",
            message, reason, code);
        if (retry_after_seconds > 0)
            reply.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds));
        return reply;
    }

    void on_reply(io::RequestId id, Reply reply) {
        Open& open = *open_.at(id);
        open.response.content_type = std::move(reply.content_type);
        for (const auto& [name, value] : reply.headers) {
            if (!equals_ignoring_case(name, "retry-after")) continue;
            std::from_chars(value.data(), value.data() + value.size(), open.response.retry_after_seconds);
        }
        on_piece(id, {Piece::Kind::kStart, reply.code, nullptr});
        on_piece(id, {Piece::Kind::kData, 0, std::make_shared<const std::string>(std::move(reply.body))});
        on_piece(id, {Piece::Kind::kEnd, 0, nullptr});
    }

    void on_piece(io::RequestId id, Piece piece) {
        Open& open = *open_.at(id);
        if (piece.kind == Piece::Kind::kStart && piece.text) open.response.content_type = *piece.text;
        open.pieces.push_back(std::move(piece));
        if (open.delivery_timer != 0) return;
        const Duration late = open.fault.kind == Faults::Kind::kDelay ? open.fault.delay : Duration{0};
        open.delivery_timer = loop_.after(options_.latency + late, [this, id] { deliver(id); });
    }

    // Handlers may cancel this request or start others, so it is looked up again for each piece.
    void deliver(io::RequestId id) {
        open_.at(id)->delivery_timer = 0;
        if (is_path_dead_) open_.at(id)->is_stuck = true;
        if (open_.at(id)->is_stuck) return;
        if (open_.at(id)->fault.kind == Faults::Kind::kLoseAnswer)
            return fail_request(id, "connection reset by peer");
        while (true) {
            const auto found = open_.find(id);
            if (found == open_.end() || found->second->pieces.empty()) return;
            Open& open = *found->second;
            const Piece piece = std::move(open.pieces.front());
            open.pieces.pop_front();
            touch(open, id);
            if (open.is_stream) {
                deliver_to_stream(id, open, piece);
            } else {
                deliver_to_send(id, open, piece);
            }
        }
    }

    void deliver_to_stream(io::RequestId id, Open& open, const Piece& piece) {
        if (piece.kind == Piece::Kind::kEnd) {
            const auto on_end = std::move(open.handlers.on_end);
            forget(id);
            if (on_end) on_end({});
            return;
        }
        // A copy, since the handler may cancel and so destroy the original while it runs.
        if (piece.kind == Piece::Kind::kStart) {
            const auto on_start = open.handlers.on_start;
            if (on_start) on_start(piece.code);
        } else {
            const auto on_data = open.handlers.on_data;
            if (on_data) on_data(*piece.text);
        }
    }

    void deliver_to_send(io::RequestId id, Open& open, const Piece& piece) {
        if (piece.kind == Piece::Kind::kStart) open.response.code = piece.code;
        if (piece.kind == Piece::Kind::kData) {
            open.response.body += *piece.text;
            if (open.response.body.size() > open.max_response_bytes) {
                const auto done = std::move(open.done);
                forget(id);
                return done(fail(ErrorKind::kInvalid, "the reply is too big"));
            }
        }
        if (piece.kind == Piece::Kind::kEnd) {
            const auto done = std::move(open.done);
            io::HttpResponse response = std::move(open.response);
            forget(id);
            done(std::move(response));
        }
    }

    void touch(Open& open, io::RequestId id) {
        if (open.silence <= Duration{0}) return;
        loop_.cancel(open.silence_timer);
        open.silence_timer =
            loop_.after(open.silence, [this, id] { fail_request(id, "silent for too long"); });
    }

    void fail_request(io::RequestId id, const std::string& why) {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        Open& open = *found->second;
        const auto done = std::move(open.done);
        const auto on_end = std::move(open.handlers.on_end);
        const bool is_stream = open.is_stream;
        forget(id);
        if (is_stream && on_end) on_end(fail(ErrorKind::kUnavailable, why));
        if (!is_stream && done) done(fail(ErrorKind::kUnavailable, why));
    }

    void refuse(io::RequestId id) {
        const auto done = std::move(open_.at(id)->done);
        const auto on_end = std::move(open_.at(id)->handlers.on_end);
        forget(id);
        if (done) done(io::not_sent(ErrorKind::kUnavailable, "it may not go any more"));
        if (on_end) on_end(fail(ErrorKind::kUnavailable, "it may not go any more"));
    }

    void forget(io::RequestId id) {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        const std::unique_ptr<Open> open = std::move(found->second);
        open_.erase(found);
        open->exchange->detach();
        for (const io::TimerId timer : {open->delivery_timer, open->request_timer, open->timeout_timer,
                                        open->silence_timer, open->cut_timer}) {
            loop_.cancel(timer);
        }
    }

    io::Loop& loop_;
    ApiServer& server_;
    InProcessHttpOptions options_;
    bool is_path_dead_ = false;
    io::RequestId next_id_ = 1;
    std::map<io::RequestId, std::unique_ptr<Open>> open_;
};

InProcessHttp::InProcessHttp(io::Loop& loop, ApiServer& server, InProcessHttpOptions options)
    : impl_(std::make_unique<Impl>(loop, server, std::move(options))) {}
InProcessHttp::~InProcessHttp() = default;
io::RequestId InProcessHttp::send(io::HttpRequest request, std::function<void(io::HttpResult)> done) {
    return impl_->send(std::move(request), std::move(done));
}
io::RequestId InProcessHttp::stream(io::HttpRequest request, io::StreamHandlers handlers) {
    return impl_->stream(std::move(request), std::move(handlers));
}
void InProcessHttp::cancel(io::RequestId id) {
    impl_->cancel(id);
}
void InProcessHttp::set_path_dead(bool is_dead) {
    impl_->set_path_dead(is_dead);
}

}  // namespace joiner::sim
