#include "io/curl_http.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "io/testing/socket_server.h"

namespace joiner::io {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Connection;
using testing::SocketServer;

constexpr Duration kPatience = seconds{20};  // A test that takes so long has hung.

class CurlHttpTest : public ::testing::Test {
  protected:
    HttpRequest request(const std::string& url, std::string target = "/") {
        auto endpoint = std::make_shared<Endpoint>();
        endpoint->base_url = url;
        HttpRequest request;
        request.endpoint = std::move(endpoint);
        request.target = std::move(target);
        return request;
    }

    HttpResult fetch(HttpRequest request) {
        std::optional<HttpResult> answer;
        http->send(std::move(request), [&](HttpResult result) {
            answer = std::move(result);
            loop.stop();
        });
        run();
        if (!answer) return fail(ErrorKind::kInternal, "the test hung");
        return std::move(*answer);
    }

    // Until a handler stops the loop.
    void run() {
        bool hung = false;
        const TimerId guard = loop.after(kPatience, [&] {
            hung = true;
            loop.stop();
        });
        loop.run();
        loop.cancel(guard);
        ASSERT_FALSE(hung);
    }

    // What a stream was told, in order: "start 200", "data abc", "end" or "end kind: message".
    StreamHandlers recording(std::vector<std::string>& log) {
        return {.on_start = [&log](int code) { log.push_back("start " + std::to_string(code)); },
                .on_data = [&log](std::string_view data) { log.push_back("data " + std::string(data)); },
                .on_end =
                    [&log, this](const Status& status) {
                        log.push_back(status ? "end" : "end " + status.error().message);
                        loop.stop();
                    }};
    }

    RealLoop loop;
    std::unique_ptr<CurlHttp> http = std::make_unique<CurlHttp>(loop);
};

void answer_all(Connection& connection) {
    while (!connection.read_request().empty()) connection.answer(200, "hello");
}

TEST_F(CurlHttpTest, an_answer_has_its_code_body_type_and_retry_after) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.answer(
            429, "slow down",
            "Content-Type: text/plain\r\nRetry-After: 7\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n");
    });
    const auto answer = fetch(request(server.url()));
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->code, 429);
    EXPECT_EQ(answer->body, "slow down");
    EXPECT_EQ(answer->content_type, "text/plain");
    EXPECT_EQ(answer->retry_after_seconds, 7);
    EXPECT_EQ(answer->server_time, *parse_rfc3339("2027-01-15T08:00:00Z"));
}

TEST_F(CurlHttpTest, requests_go_out_as_they_were_asked) {
    std::vector<std::string> seen;
    SocketServer server([&](Connection& connection) {
        for (std::string text = connection.read_request(); !text.empty(); text = connection.read_request()) {
            seen.push_back(text);
            connection.answer(200, "");
        }
    });
    HttpRequest patch = request(server.url(), "/a/../b?x=1%20");
    patch.method = "PATCH";
    patch.headers = {{"Content-Type", "application/merge-patch+json"}, {"X-Empty", ""}};
    patch.body = std::string(2'000'000, 'p');  // Long enough for curl to want a 100 Continue first.
    ASSERT_TRUE(fetch(patch).has_value());
    EXPECT_TRUE(seen.at(0).starts_with("PATCH /a/../b?x=1%20 HTTP/1.1\r\n")) << seen.at(0).substr(0, 500);
    EXPECT_NE(seen.at(0).find("Content-Type: application/merge-patch+json\r\n"), std::string::npos);
    EXPECT_NE(seen.at(0).find("X-Empty:\r\n"), std::string::npos);
    EXPECT_EQ(seen.at(0).find("Expect:"), std::string::npos);
    EXPECT_TRUE(seen.at(0).ends_with("\r\n\r\n" + patch.body));

    HttpRequest erase = request(server.url(), "/x");
    erase.method = "DELETE";
    ASSERT_TRUE(fetch(erase).has_value());
    EXPECT_TRUE(seen.at(1).starts_with("DELETE /x HTTP/1.1\r\n"));
    EXPECT_EQ(seen.at(1).find("Content-Type"), std::string::npos);
    erase.body = "{}";
    ASSERT_TRUE(fetch(erase).has_value());
    EXPECT_TRUE(seen.at(2).ends_with("\r\n\r\n{}"));

    // The handle that sent a body before sends none now.
    ASSERT_TRUE(fetch(request(server.url(), "/y")).has_value());
    EXPECT_TRUE(seen.at(3).starts_with("GET /y HTTP/1.1\r\n"));
    EXPECT_TRUE(seen.at(3).ends_with("\r\n\r\n"));
    HttpRequest empty_post = request(server.url(), "/z");
    empty_post.method = "POST";
    ASSERT_TRUE(fetch(empty_post).has_value());
    EXPECT_NE(seen.at(4).find("Content-Length: 0\r\n"), std::string::npos);
}

TEST_F(CurlHttpTest, a_connection_is_used_again) {
    SocketServer server(answer_all);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(fetch(request(server.url()))->body, "hello");
    EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlHttpTest, a_kept_connection_that_has_died_is_replaced_without_an_error) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.answer(200, "hello");
    });
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(fetch(request(server.url())).has_value());
    EXPECT_EQ(server.connections(), 3);
}

TEST_F(CurlHttpTest, many_requests_at_once_are_all_answered) {
    SocketServer server(answer_all);
    int answered = 0;
    for (int i = 0; i < 200; ++i) {
        http->send(request(server.url()), [&](const HttpResult& result) {
            EXPECT_TRUE(result.has_value());
            if (++answered == 200) loop.stop();
        });
    }
    EXPECT_EQ(answered, 0);
    run();
    EXPECT_EQ(answered, 200);
}

TEST_F(CurlHttpTest, a_refused_connection_was_not_sent) {
    std::string url;
    {
        SocketServer server(answer_all);
        url = server.url();
    }
    const auto answer = fetch(request(url));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_FALSE(answer.error().was_sent) << answer.error().message;
}

TEST_F(CurlHttpTest, a_request_that_may_not_go_any_more_when_its_connection_stands_is_not_sent) {
    std::atomic<int> received = 0;
    SocketServer server([&](Connection& connection) {
        if (!connection.read_request().empty()) ++received;
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    HttpRequest write = request(server.url());
    write.method = "POST";
    write.body = "{}";
    write.may_go = [] { return false; };
    const auto held_back = fetch(write);
    ASSERT_FALSE(held_back.has_value());
    EXPECT_EQ(held_back.error().kind, ErrorKind::kUnavailable);
    EXPECT_FALSE(held_back.error().was_sent);
    write.may_go = [] { return true; };
    EXPECT_TRUE(fetch(write).has_value());
    EXPECT_EQ(received, 1);
}

// What was handed over is not sent by a loop that has been told to stop, however far it has come.
TEST_F(CurlHttpTest, a_loop_that_is_stopped_sends_nothing_more) {
    std::atomic<int> received = 0;
    SocketServer server([&](Connection& connection) {
        if (!connection.read_request().empty()) ++received;
    });
    loop.after(Duration{0}, [&] {
        http->send(request(server.url()), [](const HttpResult&) {});
        loop.stop();
    });
    run();
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(received, 0);
}

TEST_F(CurlHttpTest, a_server_that_never_answers_times_out_and_the_next_request_takes_a_new_connection) {
    SocketServer server([](Connection& connection) {
        if (connection.number() == 1) return connection.wait_for_end();
        answer_all(connection);
    });
    HttpRequest slow = request(server.url());
    slow.timeout = milliseconds{150};
    const Duration start = loop.monotonic();
    const auto answer = fetch(slow);
    EXPECT_GE(loop.monotonic() - start, milliseconds{150});
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(answer.error().was_sent) << answer.error().message;
    EXPECT_EQ(fetch(request(server.url()))->body, "hello");
}

TEST_F(CurlHttpTest, a_reply_that_announces_too_much_is_refused_before_it_is_read) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx");
        connection.wait_for_end();
    });
    HttpRequest bounded = request(server.url());
    bounded.max_response_bytes = 1000;
    const auto answer = fetch(bounded);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(answer.error().message, "the reply is larger than 1000 bytes");
}

TEST_F(CurlHttpTest, a_reply_of_unknown_length_is_cut_off_at_the_bound) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        for (int i = 0; i < 1000; ++i) connection.chunk(std::string(1000, 'x'));
        connection.chunk("");
        answer_all(connection);
    });
    HttpRequest bounded = request(server.url());
    bounded.max_response_bytes = 999'999;
    EXPECT_EQ(fetch(bounded).error().kind, ErrorKind::kInvalid);
    bounded.max_response_bytes = 1'000'000;
    EXPECT_EQ(fetch(bounded)->body.size(), 1'000'000u);
}

TEST_F(CurlHttpTest, a_broken_chunk_is_an_error_and_not_a_short_answer) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        connection.chunk("first");
        connection.write("this is no chunk size\r\n");
    });
    const auto answer = fetch(request(server.url()));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
}

TEST_F(CurlHttpTest, an_answer_cut_short_is_an_error) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    });
    EXPECT_EQ(fetch(request(server.url())).error().kind, ErrorKind::kUnavailable);
}

TEST_F(CurlHttpTest, an_interim_answer_is_skipped) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.write("HTTP/1.1 100 Continue\r\n\r\n");
        poll(nullptr, 0, 50);
        connection.start_chunks(201);
        connection.chunk("x");
        connection.chunk("");
    });
    std::vector<std::string> log;
    http->stream(request(server.url()), recording(log));
    run();
    EXPECT_EQ(log, (std::vector<std::string>{"start 201", "data x", "end"}));
}

TEST_F(CurlHttpTest, gzip_is_asked_for_and_undone) {
    // "hello hello hello hello" as gzip.
    static constexpr char kGzip[] =
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x27\x01\xe3\x51\x3d\x8d\x17"
        "\x00\x00\x00";
    std::string seen;
    SocketServer server([&](Connection& connection) {
        seen = connection.read_request();
        connection.answer(200, std::string_view(kGzip, sizeof kGzip - 1), "Content-Encoding: gzip\r\n");
    });
    HttpRequest zipped = request(server.url());
    zipped.accept_gzip = true;
    const auto answer = fetch(zipped);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_EQ(answer->body, "hello hello hello hello");
    EXPECT_NE(seen.find("Accept-Encoding: gzip"), std::string::npos);
}

TEST_F(CurlHttpTest, a_name_and_password_become_basic_authentication) {
    std::string seen;
    SocketServer server([&](Connection& connection) {
        for (std::string text = connection.read_request(); !text.empty(); text = connection.read_request()) {
            seen = text;
            connection.answer(200, "");
        }
    });
    HttpRequest asked = request(server.url());
    auto endpoint = std::make_shared<Endpoint>(*asked.endpoint);
    endpoint->username = "user";
    endpoint->password = "pass";
    asked.endpoint = endpoint;
    ASSERT_TRUE(fetch(asked).has_value());
    EXPECT_NE(seen.find("Authorization: Basic dXNlcjpwYXNz\r\n"), std::string::npos);
    // Nothing of it stays with the handle.
    ASSERT_TRUE(fetch(request(server.url())).has_value());
    EXPECT_EQ(seen.find("Authorization"), std::string::npos);
}

TEST_F(CurlHttpTest, a_proxy_gets_the_whole_url) {
    std::string seen;
    SocketServer proxy([&](Connection& connection) {
        seen = connection.read_request();
        connection.answer(200, "from the proxy");
    });
    HttpRequest asked = request("http://cluster.example:8080", "/api");
    auto endpoint = std::make_shared<Endpoint>(*asked.endpoint);
    endpoint->proxy_url = proxy.url();
    asked.endpoint = endpoint;
    const auto answer = fetch(asked);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->body, "from the proxy");
    EXPECT_TRUE(seen.starts_with("GET http://cluster.example:8080/api HTTP/1.1\r\n"));
}

TEST_F(CurlHttpTest, a_header_with_a_line_end_is_refused_and_not_sent) {
    SocketServer server(answer_all);
    HttpRequest evil = request(server.url());
    evil.headers = {{"Authorization", "Bearer x\r\nX-Evil: 1"}};
    const auto answer = fetch(evil);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_FALSE(answer.error().was_sent);
    EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlHttpTest, a_url_that_is_none_is_refused) {
    EXPECT_EQ(fetch(request("http://a b")).error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(fetch(request("ftp://127.0.0.1:1")).error().kind, ErrorKind::kInvalid);
}

TEST_F(CurlHttpTest, a_stream_starts_before_its_first_byte_and_ends_in_order) {
    std::atomic<bool> may_go_on{false};
    SocketServer server([&](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        while (!may_go_on.load()) std::this_thread::yield();
        connection.chunk("one");
        connection.chunk("");
    });
    std::vector<std::string> log;
    StreamHandlers handlers = recording(log);
    handlers.on_start = [&, before = handlers.on_start](int code) {
        before(code);
        may_go_on.store(true);
    };
    http->stream(request(server.url()), handlers);
    run();
    EXPECT_EQ(log, (std::vector<std::string>{"start 200", "data one", "end"}));
}

TEST_F(CurlHttpTest, a_refused_stream_still_brings_its_body) {
    SocketServer server([&](Connection& connection) {
        connection.read_request();
        connection.answer(410, "too old");
    });
    std::vector<std::string> log;
    http->stream(request(server.url()), recording(log));
    run();
    EXPECT_EQ(log, (std::vector<std::string>{"start 410", "data too old", "end"}));
}

TEST_F(CurlHttpTest, a_stream_that_falls_silent_ends) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        connection.chunk("one");
        connection.wait_for_end();
    });
    std::vector<std::string> log;
    HttpRequest watch = request(server.url());
    watch.timeout = Duration{0};
    watch.silence = milliseconds{150};
    http->stream(watch, recording(log));
    run();
    EXPECT_EQ(log, (std::vector<std::string>{"start 200", "data one", "end no data for 150ms"}));
}

TEST_F(CurlHttpTest, a_stream_that_keeps_talking_outlives_the_bound_on_silence) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        for (int i = 0; i < 10; ++i) {
            poll(nullptr, 0, 150);
            connection.chunk("x");
        }
        connection.chunk("");
    });
    std::vector<std::string> log;
    HttpRequest watch = request(server.url());
    watch.timeout = Duration{0};
    watch.silence = seconds{1};
    http->stream(watch, recording(log));
    run();
    EXPECT_EQ(log.back(), "end");
}

TEST_F(CurlHttpTest, a_half_open_server_is_silence_too) {
    SocketServer server([](Connection& connection) { connection.wait_for_end(); });
    std::vector<std::string> log;
    HttpRequest watch = request(server.url());
    watch.timeout = Duration{0};
    watch.silence = milliseconds{100};
    http->stream(watch, recording(log));
    run();
    EXPECT_EQ(log, (std::vector<std::string>{"end no data for 100ms"}));
}

TEST_F(CurlHttpTest, a_broken_stream_ends_with_an_error_after_its_data) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        connection.chunk("one");
    });
    std::vector<std::string> log;
    http->stream(request(server.url()), recording(log));
    run();
    ASSERT_GE(log.size(), 3u);
    EXPECT_EQ(log[1], "data one");
    EXPECT_TRUE(log.back().starts_with("end ")) << log.back();
}

TEST_F(CurlHttpTest, all_of_a_large_stream_arrives) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        for (int i = 0; i < 200; ++i) connection.chunk(std::string(100'000, static_cast<char>('a' + i % 26)));
        connection.chunk("");
    });
    std::size_t bytes = 0;
    std::size_t largest = 0;
    http->stream(request(server.url()), {.on_start = nullptr,
                                         .on_data =
                                             [&](std::string_view data) {
                                                 bytes += data.size();
                                                 largest = std::max(largest, data.size());
                                             },
                                         .on_end =
                                             [&](const Status& status) {
                                                 EXPECT_TRUE(status.has_value());
                                                 loop.stop();
                                             }});
    run();
    EXPECT_EQ(bytes, 20'000'000u);
    EXPECT_LT(largest, 8u << 20);
}

// Cancels a stream from its own handler of the given name, and sees that nothing follows.
class CancelTest : public CurlHttpTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(CancelTest, a_stream_cancelled_by_its_own_handler_says_nothing_more) {
    SocketServer server([](Connection& connection) {
        connection.read_request();
        connection.start_chunks();
        connection.chunk("one");
        connection.chunk("two");
        connection.chunk("");
        connection.wait_for_end();
    });
    const std::string where = GetParam();
    std::vector<std::string> log;
    RequestId id = 0;
    const auto told = [&](const std::string& what) {
        log.push_back(what);
        if (what != where) return;
        http->cancel(id);
        http->cancel(id);
        loop.after(milliseconds{50}, [&] { loop.stop(); });
    };
    id = http->stream(request(server.url()), {.on_start = [=](int) { told("start"); },
                                              .on_data = [=](std::string_view) { told("data"); },
                                              .on_end = [=](const Status&) { told("end"); }});
    run();
    EXPECT_EQ(log.back(), where);
    EXPECT_EQ(std::count(log.begin(), log.end(), where), 1);
}
INSTANTIATE_TEST_SUITE_P(Handlers, CancelTest, ::testing::Values("start", "data", "end"));

TEST_F(CurlHttpTest, one_answer_may_cancel_another_and_send_a_third) {
    SocketServer server(answer_all);
    int cancelled_answers = 0;
    std::vector<RequestId> ids;
    bool done = false;
    ids.push_back(http->send(request(server.url()), [&](const HttpResult&) {
        for (const RequestId id : ids) http->cancel(id);
        http->send(request(server.url()), [&](const HttpResult& third) {
            EXPECT_TRUE(third.has_value());
            done = true;
            loop.after(milliseconds{30}, [&] { loop.stop(); });
        });
    }));
    SocketServer silent([](Connection& connection) { connection.wait_for_end(); });
    for (int i = 0; i < 20; ++i) {
        ids.push_back(http->send(request(silent.url()), [&](const HttpResult&) { ++cancelled_answers; }));
    }
    run();
    EXPECT_TRUE(done);
    EXPECT_EQ(cancelled_answers, 0);
}

TEST_F(CurlHttpTest, a_destroyed_client_calls_nothing) {
    SocketServer server([](Connection& connection) { connection.wait_for_end(); });
    int calls = 0;
    HttpRequest watch = request(server.url());
    watch.silence = milliseconds{10};
    http->stream(watch, {.on_start = nullptr, .on_data = nullptr, .on_end = [&](const Status&) { ++calls; }});
    http->send(request("http://a b"), [&](const HttpResult&) { ++calls; });
    http->send(request(server.url()), [&](const HttpResult&) { ++calls; });
    http.reset();
    loop.after(milliseconds{50}, [&] { loop.stop(); });
    run();
    EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace joiner::io
