// An HttpClient that keeps what it was asked, for a test to look at and to answer. With `responder` set,
// requests it knows an answer to are answered by a posted task, and the others wait for the test. Loop
// thread.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::io::testing {

class ScriptedHttp final : public HttpClient {
  public:
    struct Call {
        RequestId id = 0;
        HttpRequest request;
        bool is_stream = false;
        bool is_open = true;  // Not answered, not ended, not cancelled.
        bool was_cancelled = false;
        std::function<void(HttpResult)> done;
        StreamHandlers handlers;

        std::string header(std::string_view name) const {
            for (const auto& [key, value] : request.headers) {
                if (key == name) return value;
            }
            return {};
        }
    };
    using Responder = std::function<std::optional<Result<HttpResponse>>(const HttpRequest&)>;

    explicit ScriptedHttp(Loop& loop) : loop_(loop) {}

    Responder responder;
    std::deque<Call> calls;  // In the order they came; never removed.

    RequestId send(HttpRequest request, std::function<void(HttpResult)> done) override {
        Call& call = add(std::move(request));
        call.done = std::move(done);
        const RequestId id = call.id;
        if (responder) {
            if (auto answer = responder(call.request)) {
                loop_.post([this, id, reply = std::move(*answer)] { reply_to(id, reply); });
            }
        }
        return id;
    }
    RequestId stream(HttpRequest request, StreamHandlers handlers) override {
        Call& call = add(std::move(request));
        call.is_stream = true;
        call.handlers = std::move(handlers);
        return call.id;
    }
    void cancel(RequestId id) override {
        Call& call = calls.at(id - 1);
        if (!call.is_open) return;
        call.is_open = false;
        call.was_cancelled = true;
    }

    // The id of the newest call; REQUIRES one.
    RequestId last() const {
        CHECK(!calls.empty());
        return calls.size();
    }
    const Call& call(RequestId id) const { return calls.at(id - 1); }
    const Call& last_call() const { return call(last()); }
    std::vector<RequestId> open_calls() const {
        std::vector<RequestId> open;
        for (const Call& each : calls) {
            if (each.is_open) open.push_back(each.id);
        }
        return open;
    }

    void answer(RequestId id, int code, std::string body = {}, int retry_after_seconds = 0) {
        reply_to(id, HttpResponse{code, std::move(body), "application/json", retry_after_seconds});
    }
    void answer_with(RequestId id, HttpResponse response) { reply_to(id, std::move(response)); }
    void fail_request(RequestId id, ErrorKind kind, std::string message) {
        reply_to(id, fail(kind, std::move(message)));
    }
    // It never left this machine.
    void refuse(RequestId id, std::string_view why) { reply_to(id, not_sent(ErrorKind::kUnavailable, why)); }

    // Each returns without effect when the stream is not open any more.
    void start(RequestId id, int code) {
        if (calls.at(id - 1).is_open) calls.at(id - 1).handlers.on_start(code);
    }
    void data(RequestId id, std::string_view text) {
        if (calls.at(id - 1).is_open) calls.at(id - 1).handlers.on_data(text);
    }
    void end(RequestId id, Status status = {}) {
        Call& call = calls.at(id - 1);
        if (!std::exchange(call.is_open, false)) return;
        call.handlers.on_end(std::move(status));
    }

  private:
    Call& add(HttpRequest request) {
        Call& call = calls.emplace_back();
        call.id = calls.size();
        call.request = std::move(request);
        return call;
    }
    void reply_to(RequestId id, HttpResult reply) {
        Call& call = calls.at(id - 1);
        if (!std::exchange(call.is_open, false)) return;
        call.done(std::move(reply));
    }

    Loop& loop_;
};

}  // namespace joiner::io::testing
