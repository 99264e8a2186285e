#include "kube/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/random.h"
#include "kube/testing/kube_bench.h"

namespace joiner::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::KubeBench;
using testing::plain_config;

struct Answer {
    std::optional<Result<std::string>> result;
    Done done() {
        return [this](Result<std::string> r) { result = std::move(r); };
    }
    const Error& error() const { return result.value().error(); }
};

std::string status_text(int code, std::string_view message) {
    return fmt::format(R"({{"kind":"Status","apiVersion":"v1","code":{},"message":"{}"}})", code, message);
}

TEST(Paths, are_built_from_what_is_there) {
    EXPECT_EQ(path_of(kPods, "default", "web-1", "binding"), "/api/v1/namespaces/default/pods/web-1/binding");
    EXPECT_EQ(path_of(kPods, ""), "/api/v1/pods");
    EXPECT_EQ(path_of(kNodes, "ignored", "n1"), "/api/v1/nodes/n1");
    EXPECT_EQ(path_of(kNodeClaims, "", "c", "status"), "/apis/karpenter.sh/v1/nodeclaims/c/status");
    EXPECT_EQ(path_of(kLeases, "kube-system"), "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases");
}

TEST(Client, each_call_is_one_request_of_the_right_shape) {
    KubeBench bench;
    Client& client = bench.client;
    const auto body = [&] { return json::parse(bench.http.last_call().request.body); };
    const auto line = [&] {
        return bench.http.last_call().request.method + " " + bench.http.last_call().request.target + " " +
               bench.http.last_call().header("Content-Type");
    };
    client.get(kPods, "a", "p", nullptr);
    EXPECT_EQ(line(), "GET /api/v1/namespaces/a/pods/p ");
    EXPECT_EQ(bench.http.last_call().header("Accept"), "application/json");
    EXPECT_EQ(bench.http.last_call().header("User-Agent"), "joiner");
    client.create(kNodeClaims, "", "{}", nullptr);
    EXPECT_EQ(line(), "POST /apis/karpenter.sh/v1/nodeclaims application/json");
    client.patch(kNodes, "", "n", "status", PatchType::kMerge, "{}", nullptr);
    EXPECT_EQ(line(), "PATCH /api/v1/nodes/n/status application/merge-patch+json");
    client.patch(kNodes, "", "n", "", PatchType::kJson, "[]", nullptr);
    EXPECT_EQ(line(), "PATCH /api/v1/nodes/n application/json-patch+json");
    client.replace(kLeases, "ns", "l", "", "{}", nullptr);
    EXPECT_EQ(line(), "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/l application/json");
    client.remove(kPods, "a", "p", {.uid = "u1", .resource_version = "7", .grace_seconds = 0}, nullptr);
    EXPECT_EQ(line(), "DELETE /api/v1/namespaces/a/pods/p application/json");
    EXPECT_EQ(body()["preconditions"], (json{{"uid", "u1"}, {"resourceVersion", "7"}}));
    EXPECT_EQ(body()["gracePeriodSeconds"], 0);
    client.remove(kPods, "a", "p", {}, nullptr);
    EXPECT_FALSE(body().contains("gracePeriodSeconds"));
    EXPECT_FALSE(body().contains("preconditions"));
    client.evict("a", "p", "u1", nullptr);
    EXPECT_EQ(line(), "POST /api/v1/namespaces/a/pods/p/eviction application/json");
    EXPECT_EQ(body()["deleteOptions"]["preconditions"]["uid"], "u1");
    client.bind("a", "p", "u1", "n", nullptr);
    EXPECT_EQ(line(), "POST /api/v1/namespaces/a/pods/p/binding application/json");
    EXPECT_EQ(body()["metadata"]["uid"], "u1");
    EXPECT_EQ(body()["target"]["name"], "n");
}

TEST(Client, answers_become_values_and_errors_of_the_documented_kind) {
    struct Case {
        int code;
        std::optional<ErrorKind> kind;
    };
    for (const Case& each :
         {Case{200, {}}, Case{201, {}}, Case{204, {}}, Case{301, ErrorKind::kInternal},
          Case{400, ErrorKind::kInvalid}, Case{401, ErrorKind::kForbidden}, Case{403, ErrorKind::kForbidden},
          Case{404, ErrorKind::kNotFound}, Case{405, ErrorKind::kInvalid}, Case{408, ErrorKind::kUnavailable},
          Case{409, ErrorKind::kConflict}, Case{410, ErrorKind::kGone}, Case{413, ErrorKind::kInvalid},
          Case{415, ErrorKind::kInvalid}, Case{422, ErrorKind::kInvalid}, Case{429, ErrorKind::kUnavailable},
          Case{500, ErrorKind::kUnavailable}, Case{503, ErrorKind::kUnavailable}}) {
        KubeBench bench;
        Answer answer;
        bench.client.get(kNodes, "", "n", answer.done());
        bench.http.answer(1, each.code, status_text(each.code, "the server's words"));
        ASSERT_TRUE(answer.result.has_value()) << each.code;
        EXPECT_EQ(answer.result->has_value(), !each.kind.has_value()) << each.code;
        if (!each.kind) continue;
        EXPECT_EQ(answer.error().kind, *each.kind) << each.code;
        EXPECT_EQ(answer.error().message, "GET /api/v1/nodes/n: the server's words");
    }
}

TEST(Client, without_a_status_the_message_names_the_code) {
    KubeBench bench;
    Answer answer;
    bench.client.patch(kNodes, "", "n", "", PatchType::kMerge, "{}", answer.done());
    bench.http.answer(1, 502, "<html>bad gateway</html>");
    EXPECT_EQ(answer.error().message, "PATCH /api/v1/nodes/n: HTTP 502");
}

TEST(Client, a_forbidden_eviction_says_how_long_to_wait) {
    KubeBench bench;
    Answer by_header;
    Answer by_body;
    bench.client.evict("a", "p", "", by_header.done());
    bench.http.answer(1, 429, status_text(429, "budget"), 10);
    bench.client.evict("a", "p", "", by_body.done());
    bench.http.answer(2, 429, R"({"kind":"Status","code":429,"details":{"retryAfterSeconds":7}})");
    EXPECT_EQ(by_header.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(by_header.error().retry_after_seconds, 10);
    EXPECT_EQ(by_body.error().retry_after_seconds, 7);
    EXPECT_EQ(bench.client.counters().throttled_by_server, 2u);
}

TEST(Client, lanes_have_their_own_bounds) {
    KubeBench bench({.max_in_flight = 3, .max_bindings_in_flight = 2});
    int answered = 0;
    for (int i = 0; i < 10; ++i) {
        bench.client.get(kNodes, "", "n", [&](const Result<std::string>&) { ++answered; });
        bench.client.bind("a", "p", "", "n", [&](const Result<std::string>&) { ++answered; });
    }
    EXPECT_EQ(bench.http.open_calls().size(), 5u);
    bench.client.send({.method = "GET", .path = "/lease", .lane = Lane::kLease}, nullptr);
    EXPECT_EQ(bench.http.open_calls().size(), 6u);
    EXPECT_EQ(bench.http.last_call().request.target, "/lease");
    while (answered < 20) {
        for (const io::RequestId id : bench.http.open_calls()) bench.http.answer(id, 200);
        EXPECT_LE(bench.http.open_calls().size(), 5u);
    }
    EXPECT_EQ(bench.client.counters().requests, 21u);
}

TEST(Client, requests_go_out_in_the_order_they_came) {
    KubeBench bench({.max_in_flight = 1});
    for (const char* name : {"a", "b", "c"}) bench.client.get(kNodes, "", name, nullptr);
    std::string order;
    for (io::RequestId id = 1; id <= 3; ++id) {
        order += bench.http.call(id).request.target.back();
        bench.http.answer(id, 200);
    }
    EXPECT_EQ(order, "abc");
}

TEST(Client, the_default_lane_keeps_to_its_rate_and_bindings_are_not_held_back) {
    KubeBench bench({.qps = 10, .burst = 5, .max_in_flight = 1000});
    for (int i = 0; i < 100; ++i) bench.client.get(kNodes, "", "n", nullptr);
    EXPECT_EQ(bench.http.calls.size(), 5u);
    bench.loop.advance(seconds{1});
    // A timer comes a nanosecond late rather than too early, so the last may be missing.
    const auto sent = [&] { return static_cast<int>(bench.http.calls.size()); };
    EXPECT_NEAR(sent(), 15, 1);
    for (int i = 0; i < 16; ++i) bench.client.bind("a", "p", "", "n", nullptr);
    EXPECT_NEAR(sent(), 31, 1);
    bench.loop.advance(seconds{2});
    EXPECT_NEAR(sent(), 51, 1);
}

TEST(Client, a_request_that_waits_too_long_in_our_queue_fails_and_is_not_sent) {
    KubeBench bench({.max_in_flight = 1});
    Answer first;
    Answer second;
    bench.client.get(kNodes, "", "a", first.done());
    bench.client.get(kNodes, "", "b", second.done());
    bench.loop.advance(milliseconds{29'999});
    EXPECT_FALSE(second.result.has_value());
    bench.loop.advance(milliseconds{1});
    ASSERT_TRUE(second.result.has_value());
    EXPECT_EQ(second.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(second.error().message, "GET /api/v1/nodes/b: not sent: waited too long in our own queue");
    bench.http.answer(1, 200);
    bench.loop.run_ready();
    EXPECT_EQ(bench.http.calls.size(), 1u);
}

TEST(Client, a_full_queue_refuses_all_but_the_lease) {
    KubeBench bench({.max_in_flight = 1, .max_queued = 2});
    Answer refused;
    for (int i = 0; i < 3; ++i) bench.client.get(kNodes, "", "n", nullptr);
    bench.client.get(kNodes, "", "n", refused.done());
    EXPECT_FALSE(refused.result.has_value()) << "answered from inside send()";
    bench.client.send({.method = "GET", .path = "/lease", .lane = Lane::kLease}, nullptr);
    EXPECT_EQ(bench.http.last_call().request.target, "/lease");
    bench.loop.run_ready();
    EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
}

TEST(Client, a_write_that_was_not_sent_is_tried_again_after_a_pause_and_then_given_up) {
    KubeBench bench;
    Answer answer;
    bench.client.create(kNodeClaims, "", "{}", answer.done());
    for (io::RequestId id = 1; id <= 3; ++id) {
        ASSERT_EQ(bench.http.last(), id);
        bench.http.refuse(id, "refused");
        EXPECT_EQ(bench.http.last(), id) << "no pause";
        bench.loop.advance(seconds{1});
    }
    ASSERT_TRUE(answer.result.has_value());
    EXPECT_EQ(answer.error().message, "POST /apis/karpenter.sh/v1/nodeclaims: not sent: refused");
    EXPECT_EQ(bench.client.counters().failures, 3u);
}

TEST(Client, no_write_but_the_leases_passes_a_gate_that_is_closed) {
    bool leads = true;
    KubeBench bench({.max_in_flight = 1, .may_write = [&leads] { return leads; }});
    Answer sent;
    Answer queued;
    Answer later;
    Answer read;
    bench.client.create(kNodeClaims, "", "{}", sent.done());
    bench.client.create(kNodeClaims, "", "{}", queued.done());
    ASSERT_EQ(bench.http.calls.size(), 1u);
    leads = false;
    EXPECT_FALSE(bench.http.call(1).request.may_go()) << "its connection may not stand yet";
    bench.client.remove(kNodeClaims, "", "a", {}, later.done());
    bench.client.send({.method = "PUT", .path = "/lease", .lane = Lane::kLease}, nullptr);
    EXPECT_EQ(bench.http.last_call().request.target, "/lease");
    EXPECT_FALSE(bench.http.last_call().request.may_go);
    bench.http.answer(1, 201);
    bench.client.get(kNodes, "", "a", read.done());
    bench.loop.run_ready();
    EXPECT_EQ(bench.http.last_call().request.method, "GET");
    EXPECT_EQ(bench.http.calls.size(), 3u);
    EXPECT_EQ(queued.error().message,
              "POST /apis/karpenter.sh/v1/nodeclaims: not sent: this process does not lead");
    EXPECT_EQ(later.error().kind, ErrorKind::kUnavailable);
}

TEST(Client, once_writes_are_finished_none_is_under_way_and_none_begins) {
    KubeBench bench({.max_in_flight = 1});
    Answer sent;
    Answer queued;
    Answer later;
    bool is_finished = false;
    bench.client.create(kNodeClaims, "", "{}", sent.done());
    bench.client.create(kNodeClaims, "", "{}", queued.done());
    bench.client.finish_writes([&] { is_finished = true; });
    bench.client.create(kNodeClaims, "", "{}", later.done());
    bench.loop.advance(seconds{5});
    EXPECT_FALSE(is_finished) << "the first may still be done";
    EXPECT_EQ(queued.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(later.error().kind, ErrorKind::kUnavailable);
    bench.http.answer(1, 201);
    bench.loop.run_ready();
    EXPECT_TRUE(is_finished);
    EXPECT_EQ(bench.http.calls.size(), 1u);
}

TEST(Client, a_write_that_may_have_been_done_is_not_tried_again) {
    KubeBench bench;
    Answer answer;
    bench.client.create(kNodeClaims, "", "{}", answer.done());
    bench.http.fail_request(1, ErrorKind::kUnavailable, "timed out");
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    bench.loop.advance(minutes{1});
    EXPECT_EQ(bench.http.calls.size(), 1u);
}

TEST(Client, a_read_without_an_answer_is_tried_once_more) {
    KubeBench bench;
    Answer answer;
    bench.client.get(kNodes, "", "n", answer.done());
    bench.http.fail_request(1, ErrorKind::kUnavailable, "timed out");
    bench.loop.advance(seconds{1});
    ASSERT_EQ(bench.http.last(), 2u);
    bench.http.fail_request(2, ErrorKind::kUnavailable, "timed out");
    EXPECT_TRUE(answer.result.has_value());
    bench.loop.advance(minutes{1});
    EXPECT_EQ(bench.http.calls.size(), 2u);
}

TEST(Client, an_answer_may_send_the_next_request) {
    KubeBench bench({.max_in_flight = 1});
    Answer second;
    bench.client.get(kNodes, "", "a",
                     [&](const Result<std::string>&) { bench.client.get(kNodes, "", "b", second.done()); });
    bench.http.answer(1, 200);
    bench.http.answer(2, 200, "b");
    EXPECT_EQ(second.result->value(), "b");
}

TEST(Client, nothing_is_called_after_destruction) {
    io::testing::ManualLoop loop;
    io::testing::ScriptedHttp http(loop);
    auto client = std::make_unique<Client>(loop, http, plain_config(),
                                           ClientOptions{.max_in_flight = 1, .max_queued = 1});
    int calls = 0;
    for (int i = 0; i < 3; ++i) client->get(kNodes, "", "n", [&](const Result<std::string>&) { ++calls; });
    client->stream({.method = "GET", .path = "/watch"}, seconds{1},
                   {.on_start = nullptr, .on_data = nullptr, .on_end = [&](const Status&) { ++calls; }});
    client.reset();
    loop.advance(minutes{5});
    EXPECT_EQ(calls, 0);
    EXPECT_TRUE(http.open_calls().empty());
    EXPECT_FALSE(loop.has_timers());
}

TEST(Client, a_client_may_be_destroyed_by_an_answer) {
    io::testing::ManualLoop loop;
    io::testing::ScriptedHttp http(loop);
    auto client = std::make_unique<Client>(loop, http, plain_config(), ClientOptions{});
    client->get(kNodes, "", "n", [&](const Result<std::string>&) { client.reset(); });
    http.answer(1, 200);
    EXPECT_EQ(client, nullptr);
}

TEST(Client, streams_are_outside_the_lanes_and_carry_their_silence) {
    KubeBench bench({.qps = 1, .burst = 1, .max_in_flight = 1});
    for (int i = 0; i < 3; ++i) bench.client.get(kNodes, "", "n", nullptr);
    std::vector<std::string> log;
    for (int i = 0; i < 5; ++i) {
        bench.client.stream(
            {.method = "GET", .path = "/w", .query = "watch=1"}, seconds{9},
            {.on_start = [&](int code) { log.push_back(std::to_string(code)); },
             .on_data = [&](std::string_view data) { log.emplace_back(data); },
             .on_end = [&](const Status& s) { log.push_back(s ? "end" : s.error().message); }});
    }
    EXPECT_EQ(bench.http.open_calls().size(), 6u);
    const auto& call = bench.http.last_call();
    EXPECT_EQ(call.request.target, "/w?watch=1");
    EXPECT_EQ(call.request.silence, seconds{9});
    EXPECT_EQ(call.request.timeout, Duration{0});
    bench.http.start(call.id, 200);
    bench.http.data(call.id, "x");
    bench.http.end(call.id, fail(ErrorKind::kUnavailable, "reset"));
    EXPECT_THAT(log, ElementsAre("200", "x", "GET /w: reset"));
}

TEST(Client, a_cancelled_stream_is_silent) {
    KubeBench bench;
    int calls = 0;
    const auto id =
        bench.client.stream({.method = "GET", .path = "/w"}, seconds{9},
                            {.on_start = [&](int) { ++calls; }, .on_data = nullptr, .on_end = nullptr});
    bench.client.cancel(id);
    bench.client.cancel(id);
    EXPECT_TRUE(bench.http.last_call().was_cancelled);
    bench.http.start(bench.http.last(), 200);
    EXPECT_EQ(calls, 0);
}

// --- Credentials.

class ScratchFile {
  public:
    explicit ScratchFile(const std::string& contents)
        : path_(std::filesystem::temp_directory_path() / ("joiner-" + std::to_string(io::os_seed()))) {
        write(contents);
    }
    ~ScratchFile() { std::filesystem::remove(path_); }
    ScratchFile(const ScratchFile&) = delete;
    ScratchFile& operator=(const ScratchFile&) = delete;
    void write(const std::string& contents) const { std::ofstream(path_) << contents; }
    std::string path() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

TEST(Client, a_fixed_token_goes_with_every_request_and_a_401_is_final) {
    Config config = plain_config();
    config.token = "t0k";
    KubeBench bench({}, config);
    Answer answer;
    bench.client.get(kNodes, "", "n", answer.done());
    EXPECT_EQ(bench.http.last_call().header("Authorization"), "Bearer t0k");
    bench.http.answer(1, 401, status_text(401, "Unauthorized"));
    EXPECT_EQ(answer.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(bench.http.calls.size(), 1u);
}

TEST(Client, a_token_file_is_read_again_each_minute) {
    const ScratchFile file("one\n");
    Config config = plain_config();
    config.token = "ignored";
    config.token_file = file.path();
    KubeBench bench({}, config);
    const auto token = [&] {
        bench.client.get(kNodes, "", "n", nullptr);
        return bench.http.last_call().header("Authorization");
    };
    EXPECT_EQ(token(), "Bearer one");
    file.write("two");
    bench.loop.advance(seconds{59});
    EXPECT_EQ(token(), "Bearer one");
    bench.loop.advance(seconds{1});
    EXPECT_EQ(token(), "Bearer two");
    std::filesystem::remove(file.path());
    bench.loop.advance(minutes{2});
    EXPECT_EQ(token(), "Bearer two");
}

TEST(Client, a_refused_token_is_read_again_at_once_and_the_request_repeated_once) {
    const ScratchFile file("old");
    Config config = plain_config();
    config.token_file = file.path();
    KubeBench bench({}, config);
    Answer answer;
    bench.client.create(kNodeClaims, "", "{}", answer.done());
    file.write("new");
    bench.http.answer(1, 401);
    ASSERT_EQ(bench.http.last(), 2u);
    EXPECT_EQ(bench.http.last_call().header("Authorization"), "Bearer new");
    file.write("newer");
    bench.http.answer(2, 401, status_text(401, "Unauthorized"));
    EXPECT_EQ(answer.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(bench.http.calls.size(), 2u);
}

TEST(Client, a_refused_stream_makes_the_next_one_go_with_a_token_read_anew) {
    const ScratchFile file("old");
    Config config = plain_config();
    config.token_file = file.path();
    KubeBench bench({}, config);
    bench.client.stream({.method = "GET", .path = "/w"}, seconds{9}, {});
    file.write("new");
    bench.http.start(1, 401);
    bench.http.end(1);
    bench.client.stream({.method = "GET", .path = "/w"}, seconds{9}, {});
    EXPECT_EQ(bench.http.last_call().header("Authorization"), "Bearer new");
}

TEST(Client, a_refused_token_that_has_not_changed_is_not_tried_again) {
    const ScratchFile file("old");
    Config config = plain_config();
    config.token_file = file.path();
    KubeBench bench({}, config);
    Answer answer;
    bench.client.get(kNodes, "", "n", answer.done());
    bench.http.answer(1, 401);
    EXPECT_EQ(bench.http.calls.size(), 1u);
    EXPECT_TRUE(answer.result.has_value());
}

// A plug-in is a real process, so its end is waited for; what it says and the client's pauses are on virtual
// time.
struct PluginBench {
    explicit PluginBench(const std::string& script) : file("#!/bin/sh\n" + script), bench({}, config()) {}

    Config config() const {
        Config made = plain_config();
        made.exec = ExecPlugin{.command = "sh",
                               .arguments = {file.path()},
                               .environment = {{"ANSWER", "42"}},
                               .api_version = "client.authentication.k8s.io/v1",
                               .install_hint = "",
                               .provide_cluster_info = true};
        return made;
    }
    // Until `condition` holds, or a while has passed.
    bool run_until(const std::function<bool()>& condition) {
        for (int i = 0; i < 20'000 && !condition(); ++i) {
            bench.loop.run_ready();
            poll(nullptr, 0, 1);
        }
        return condition();
    }
    // The answer to one more request.
    Answer ask() {
        Answer answer;
        client.get(kNodes, "", "n", answer.done());
        EXPECT_TRUE(run_until([&] { return answer.result.has_value(); }));
        return answer;
    }

    ScratchFile file;
    KubeBench bench;
    Client& client = bench.client;
    io::testing::ScriptedHttp& http = bench.http;
};

std::string print_token(const std::string& token, const std::string& more = "") {
    return "echo "
           "'{\"apiVersion\":\"client.authentication.k8s.io/"
           "v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'" +
           token + "'\"" + more + "}}'\n";
}

TEST(ClientPlugin, requests_and_streams_wait_for_the_plug_in_and_carry_its_token) {
    PluginBench bench(print_token("$ANSWER"));
    bench.client.get(kNodes, "", "n", nullptr);
    bench.client.stream({.method = "GET", .path = "/w"}, seconds{1}, {});
    EXPECT_TRUE(bench.http.calls.empty());
    ASSERT_TRUE(bench.run_until([&] { return bench.http.calls.size() == 2; }));
    EXPECT_EQ(bench.http.calls[0].header("Authorization"), "Bearer 42");
    EXPECT_EQ(bench.http.calls[1].header("Authorization"), "Bearer 42");
}

TEST(ClientPlugin, the_plug_in_is_told_about_the_cluster) {
    PluginBench bench(
        "case \"$KUBERNETES_EXEC_INFO\" in "
        "*'\"server\":\"https://cluster.example\"'*'\"interactive\":false'*) " +
        print_token("told") + ";; esac\n");
    bench.client.get(kNodes, "", "n", nullptr);
    EXPECT_TRUE(bench.run_until([&] { return bench.http.calls.size() == 1; }));
}

TEST(ClientPlugin, client_certificates_replace_those_of_the_file) {
    PluginBench bench(print_token("t", ",\"clientCertificateData\":\"CERT\",\"clientKeyData\":\"KEY\""));
    bench.client.get(kNodes, "", "n", nullptr);
    ASSERT_TRUE(bench.run_until([&] { return bench.http.calls.size() == 1; }));
    EXPECT_EQ(bench.http.calls[0].request.endpoint->client_certificate_pem, "CERT");
    EXPECT_EQ(bench.http.calls[0].request.endpoint->base_url, "https://cluster.example");
}

TEST(ClientPlugin, a_plug_in_that_fails_fails_what_waits_with_its_words_and_is_not_run_in_a_storm) {
    const ScratchFile count("");
    PluginBench bench("echo x >> " + count.path() + "\necho 'please log in' >&2; exit 1\n");
    for (int i = 0; i < 20; ++i) {
        const Answer answer = bench.ask();
        EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
        EXPECT_THAT(answer.error().message,
                    ::testing::HasSubstr("credential plug-in sh: ended with code 1: please log in"));
    }
    EXPECT_EQ(std::filesystem::file_size(count.path()), 2u);
    bench.bench.loop.advance(seconds{5});
    bench.ask();
    EXPECT_EQ(std::filesystem::file_size(count.path()), 4u);
}

TEST(ClientPlugin, fresh_credentials_that_are_refused_do_not_make_a_storm_of_plug_ins) {
    const ScratchFile count("");
    PluginBench bench("echo x >> " + count.path() + "\n" + print_token("t"));
    bench.http.responder = [](const io::HttpRequest&) {
        return io::HttpResponse{.code = 401, .body = "{}", .content_type = ""};
    };
    for (int i = 0; i < 20; ++i) EXPECT_EQ(bench.ask().error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(std::filesystem::file_size(count.path()), 2u);
    bench.bench.loop.advance(seconds{5});
    bench.ask();
    EXPECT_EQ(std::filesystem::file_size(count.path()), 4u);
}

TEST(ClientPlugin, a_credential_that_runs_out_is_fetched_again) {
    const ScratchFile count("");
    PluginBench bench("echo x >> " + count.path() + "\nN=$(wc -l < " + count.path() + ")\n" +
                      print_token("$N", ",\"expirationTimestamp\":\"'2100-01-01T0$N:00:00Z'\""));
    bench.bench.loop.jump(*parse_rfc3339("2100-01-01T00:00:00Z") - bench.bench.loop.now());
    bench.http.responder = [](const io::HttpRequest&) {
        return io::HttpResponse{.code = 200, .body = "{}", .content_type = ""};
    };
    const auto token = [&] {
        const std::size_t before = bench.http.calls.size();
        bench.client.get(kNodes, "", "n", nullptr);
        EXPECT_TRUE(bench.run_until([&] { return bench.http.calls.size() > before; }));
        return bench.http.last_call().header("Authorization");
    };
    EXPECT_EQ(token(), "Bearer 1");
    bench.bench.loop.advance(minutes{59});
    EXPECT_EQ(token(), "Bearer 1");
    // In its last half minute it still serves, while the next is being fetched.
    bench.bench.loop.advance(seconds{31});
    EXPECT_EQ(token(), "Bearer 1");
    EXPECT_TRUE(bench.run_until([&] { return std::filesystem::file_size(count.path()) == 4; }));
    EXPECT_TRUE(bench.run_until([&] { return token() == "Bearer 2"; }));
    bench.bench.loop.advance(minutes{90});
    EXPECT_EQ(token(), "Bearer 3");
}

}  // namespace
}  // namespace joiner::kube
