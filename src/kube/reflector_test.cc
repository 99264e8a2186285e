#include "kube/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kube/testing/kube_bench.h"

namespace joiner::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::bookmark_line;
using ::testing::ElementsAre;
using testing::error_line;
using testing::event_line;
using ::testing::HasSubstr;
using testing::KubeBench;
using ::testing::Not;
using testing::object_text;
using testing::RecordingHandler;

std::string list_text(std::uint64_t version, const std::vector<std::string>& names,
                      std::string_view token = "") {
    std::string items;
    for (const std::string& name : names)
        items += (items.empty() ? "" : ",") + object_text(name, version - 1);
    return fmt::format(
        R"({{"kind":"List","metadata":{{"resourceVersion":"{}","continue":"{}"}},"items":[{}]}})", version,
        token, items);
}

class ReflectorTest : public ::testing::Test {
  protected:
    ReflectorTest() { remake(kNodes); }

    void remake(const Resource& resource, ReflectorOptions options = {}) {
        reflector = std::make_unique<Reflector>(bench.loop, bench.client, resource, std::move(options),
                                                Rng(1), handler);
    }

    io::RequestId last() const { return bench.http.last(); }
    std::string target() const { return bench.http.last_call().request.target; }
    std::size_t requests() const { return bench.http.calls.size(); }
    void data(std::string_view text) { bench.http.data(last(), text); }
    void refuse(int code, std::string_view body = "{}") {
        bench.http.start(last(), code);
        data(body);
        bench.http.end(last());
    }
    // Starts, and is given `a` at 5 and `b` at 6, complete at 10; the watch stays open.
    void sync() {
        reflector->start();
        bench.http.start(last(), 200);
        data(event_line("ADDED", "a", 5) + event_line("ADDED", "b", 6) + bookmark_line(10, true));
        ASSERT_TRUE(reflector->is_synced());
        handler.log.clear();
    }
    // Lets `span` pass and says how many requests came in it.
    std::size_t requests_in(Duration span) {
        const std::size_t before = requests();
        bench.loop.advance(span);
        return requests() - before;
    }
    void answer_list(const std::string& body) {
        bench.http.start(last(), 200);
        data(body);
        bench.http.end(last());
    }

    KubeBench bench;
    RecordingHandler handler;
    std::unique_ptr<Reflector> reflector;
};

TEST_F(ReflectorTest, a_streaming_list_brings_the_state_and_then_follows_in_one_request) {
    reflector->start();
    EXPECT_THAT(target(),
                HasSubstr("/api/v1/nodes?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                          "&allowWatchBookmarks=true&timeoutSeconds="));
    EXPECT_EQ(bench.http.last_call().request.silence, seconds{90});
    EXPECT_TRUE(reflector->broken_since().has_value());
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5));
    EXPECT_FALSE(reflector->is_synced());
    data(event_line("ADDED", "b", 3) + bookmark_line(10, true) + event_line("MODIFIED", "a", 11));
    data(event_line("DELETED", "b", 12));
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a", "+b", "end", "+a", "-b"));
    EXPECT_TRUE(reflector->is_synced());
    EXPECT_FALSE(reflector->broken_since().has_value());
    EXPECT_EQ(reflector->problem(), "");
    EXPECT_EQ(requests(), 1u);
    EXPECT_EQ(reflector->counters().lists, 1u);
    EXPECT_EQ(reflector->counters().events, 5u);
}

TEST_F(ReflectorTest, selectors_and_namespace_are_part_of_the_request) {
    remake(kPods, {.field_selector = "spec.nodeName!=", .label_selector = "a in (b,c)", .ns = "web"});
    reflector->start();
    EXPECT_THAT(target(), HasSubstr("/api/v1/namespaces/web/pods?"));
    EXPECT_THAT(target(), HasSubstr("&fieldSelector=spec.nodeName%21%3D&labelSelector=a%20in%20%28b%2Cc%29"));
}

TEST_F(ReflectorTest, a_watch_that_ends_goes_on_at_once_from_the_last_version_seen) {
    sync();
    data(event_line("MODIFIED", "a", 17));
    bench.loop.advance(minutes{5});
    bench.http.end(last());
    EXPECT_EQ(requests_in(Duration{0}), 1u);
    EXPECT_THAT(target(), HasSubstr("watch=1&allowWatchBookmarks=true&resourceVersion=17&timeoutSeconds="));
    EXPECT_FALSE(reflector->broken_since().has_value());
    bench.http.start(last(), 200);
    data(bookmark_line(40));
    bench.loop.advance(minutes{5});
    bench.http.end(last());
    bench.loop.run_ready();
    EXPECT_THAT(target(), HasSubstr("&resourceVersion=40&"));
    EXPECT_THAT(handler.log, ElementsAre("+a"));
    EXPECT_EQ(reflector->counters().lists, 1u);
}

TEST_F(ReflectorTest, a_broken_watch_goes_on_after_a_pause_and_says_since_when_it_is_broken) {
    sync();
    const WallTime broken = bench.loop.now();
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "connection reset"));
    EXPECT_EQ(reflector->problem(), "GET /api/v1/nodes: connection reset");
    EXPECT_EQ(requests_in(milliseconds{99}), 0u);
    EXPECT_EQ(requests_in(milliseconds{201}), 1u);
    EXPECT_THAT(target(), HasSubstr("&resourceVersion=10&"));
    EXPECT_EQ(reflector->broken_since(), broken);
    bench.http.start(last(), 200);
    EXPECT_TRUE(reflector->broken_since().has_value());
    data(event_line("ADDED", "c", 11));
    EXPECT_FALSE(reflector->broken_since().has_value());
    EXPECT_EQ(reflector->problem(), "");
    EXPECT_TRUE(reflector->is_synced());
}

TEST_F(ReflectorTest, since_when_it_is_broken_is_the_first_failure_and_recovery_makes_pauses_short_again) {
    sync();
    const WallTime broken = bench.loop.now();
    for (int i = 0; i < 8; ++i) {
        bench.http.end(last(), fail(ErrorKind::kUnavailable, "refused"));
        bench.loop.advance(minutes{1});
    }
    EXPECT_EQ(reflector->broken_since(), broken);
    bench.http.start(last(), 200);
    data(event_line("ADDED", "c", 11));
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "reset"));
    EXPECT_EQ(requests_in(milliseconds{300}), 1u);
}

TEST_F(ReflectorTest, after_a_plain_list_the_streaming_one_is_tried_again_next_time) {
    reflector->start();
    refuse(422);
    bench.loop.run_ready();
    answer_list(list_text(30, {"a"}));
    bench.loop.advance(minutes{1});
    refuse(410);
    bench.loop.advance(seconds{1});
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents=true"));
    refuse(422);
    bench.loop.run_ready();
    // Not from the server's cache this time, which may be older than what was seen.
    EXPECT_EQ(target(), "/api/v1/nodes");
}

TEST_F(ReflectorTest, a_quiet_watch_is_believed_well_after_a_while) {
    sync();
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "no data for 1m30s"));
    bench.loop.advance(seconds{1});
    bench.http.start(last(), 200);
    bench.loop.advance(seconds{4});
    EXPECT_TRUE(reflector->broken_since().has_value());
    bench.loop.advance(seconds{2});
    EXPECT_FALSE(reflector->broken_since().has_value());
}

TEST_F(ReflectorTest, a_server_that_is_down_is_asked_ever_less_often) {
    sync();
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "gone"));
    bench.http.responder = nullptr;
    std::size_t attempts = 0;
    for (int i = 0; i < 600 * 100; ++i) {
        const std::size_t before = requests();
        bench.loop.advance(milliseconds{10});
        if (requests() == before) continue;
        ++attempts;
        bench.http.end(last(), fail(ErrorKind::kUnavailable, "not sent: refused"));
    }
    // Ten minutes at 30 s each, and the first doublings.
    EXPECT_GE(attempts, 15u);
    EXPECT_LE(attempts, 40u);
    EXPECT_TRUE(reflector->is_synced());
}

TEST_F(ReflectorTest, a_watch_that_ends_at_once_with_no_event_backs_off) {
    sync();
    std::size_t attempts = 0;
    bench.http.end(last());
    for (int i = 0; i < 6000; ++i) {
        const std::size_t before = requests();
        bench.loop.advance(milliseconds{10});
        if (requests() == before) continue;
        ++attempts;
        bench.http.start(last(), 200);
        bench.http.end(last());
    }
    EXPECT_GE(attempts, 5u);
    EXPECT_LE(attempts, 15u);
    EXPECT_THAT(reflector->problem(), HasSubstr("ended at once"));
    EXPECT_TRUE(reflector->broken_since().has_value());
}

TEST_F(ReflectorTest, a_watch_that_ends_after_each_event_does_not_spin) {
    sync();
    std::uint64_t version = 100;
    std::size_t attempts = 0;
    bench.http.end(last());
    for (int i = 0; i < 1000; ++i) {
        const std::size_t before = requests();
        bench.loop.advance(milliseconds{10});
        if (requests() == before) continue;
        ++attempts;
        bench.http.start(last(), 200);
        data(event_line("MODIFIED", "a", ++version));
        bench.http.end(last());
    }
    EXPECT_GE(attempts, 30u);
    EXPECT_LE(attempts, 110u);
}

TEST_F(ReflectorTest, an_expired_version_as_an_event_lists_again_and_drops_what_is_gone) {
    sync();
    bench.loop.advance(minutes{2});
    data(error_line(410, "too old resource version"));
    EXPECT_TRUE(bench.http.last_call().was_cancelled);
    EXPECT_TRUE(reflector->broken_since().has_value());
    EXPECT_EQ(requests_in(Duration{0}), 1u);
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents=true"));
    EXPECT_THAT(target(), Not(HasSubstr("resourceVersion=")));
    bench.http.start(last(), 200);
    data(event_line("ADDED", "b", 6) + event_line("ADDED", "c", 20) + bookmark_line(30, true));
    EXPECT_EQ(handler.names(), "b c");
    EXPECT_THAT(handler.log, ElementsAre("begin", "+b", "+c", "end"));
    EXPECT_FALSE(reflector->broken_since().has_value());
}

TEST_F(ReflectorTest, an_expired_version_as_an_http_code_lists_again) {
    sync();
    bench.loop.advance(minutes{2});
    bench.http.end(last());
    bench.loop.run_ready();
    refuse(410, R"({"kind":"Status","code":410,"message":"too old"})");
    bench.loop.advance(Duration{0});
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents=true"));
}

TEST_F(ReflectorTest, versions_that_expire_again_and_again_do_not_make_a_storm_of_lists) {
    sync();
    std::size_t lists = 0;
    for (int i = 0; i < 60'000; ++i) {
        const std::size_t before = requests();
        if (i == 0) data(error_line(410, "old"));
        bench.loop.advance(milliseconds{10});
        if (requests() == before) continue;
        ++lists;
        bench.http.start(last(), 200);
        data(bookmark_line(50 + lists, true) + error_line(410, "old"));
    }
    EXPECT_GE(lists, 8u);
    EXPECT_LE(lists, 40u);
}

TEST_F(ReflectorTest, a_streaming_list_that_breaks_half_way_ends_nothing_and_begins_again) {
    reflector->start();
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5));
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "reset"));
    EXPECT_FALSE(reflector->is_synced());
    bench.loop.advance(seconds{1});
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents=true"));
    bench.http.start(last(), 200);
    data(event_line("ADDED", "b", 6) + bookmark_line(10, true));
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a", "begin", "+b", "end"));
    EXPECT_EQ(handler.names(), "b");
}

TEST_F(ReflectorTest, a_list_again_that_breaks_keeps_the_old_objects_until_it_is_whole) {
    sync();
    data(error_line(410, "old"));
    bench.loop.advance(seconds{1});
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5));
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "reset"));
    EXPECT_EQ(handler.names(), "a b");
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a"));
    EXPECT_TRUE(reflector->is_synced());
    EXPECT_TRUE(reflector->broken_since().has_value());
}

class FallbackTest : public ReflectorTest, public ::testing::WithParamInterface<int> {};

TEST_P(FallbackTest, a_server_without_streaming_lists_is_listed_and_then_watched) {
    reflector->start();
    refuse(GetParam(), R"({"kind":"Status","code":422,"message":"sendInitialEvents is forbidden"})");
    EXPECT_EQ(requests_in(Duration{0}), 1u);
    EXPECT_EQ(target(), "/api/v1/nodes?resourceVersion=0");
    EXPECT_TRUE(bench.http.last_call().request.accept_gzip);
    answer_list(list_text(30, {"a", "b"}));
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a", "+b", "end"));
    EXPECT_TRUE(reflector->is_synced());
    bench.loop.run_ready();
    EXPECT_THAT(target(), HasSubstr("?watch=1&allowWatchBookmarks=true&resourceVersion=30&"));
    EXPECT_FALSE(bench.http.last_call().request.accept_gzip);
    bench.http.start(last(), 200);
    data(event_line("DELETED", "a", 31));
    EXPECT_EQ(handler.names(), "b");
}
INSTANTIATE_TEST_SUITE_P(Codes, FallbackTest, ::testing::Values(400, 405, 415, 422));

TEST_F(ReflectorTest, a_server_that_ends_the_initial_state_early_is_listed) {
    reflector->start();
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5));
    bench.http.end(last());
    bench.loop.advance(seconds{1});
    EXPECT_EQ(target(), "/api/v1/nodes");
    answer_list(list_text(30, {"b"}));
    EXPECT_EQ(handler.names(), "b");
}

TEST_F(ReflectorTest, streaming_lists_that_keep_breaking_give_way_to_a_list) {
    reflector->start();
    for (int i = 0; i < 2; ++i) {
        bench.http.start(last(), 200);
        bench.http.end(last(), fail(ErrorKind::kUnavailable, "no data for 1m30s"));
        bench.loop.advance(seconds{2});
    }
    EXPECT_EQ(target(), "/api/v1/nodes");
}

TEST_F(ReflectorTest, pods_come_in_pages_and_the_watch_starts_at_the_first_pages_version) {
    remake(kPods, {.page_size = 2});
    reflector->start();
    refuse(422);
    bench.loop.run_ready();
    EXPECT_EQ(target(), "/api/v1/pods?limit=2");
    answer_list(list_text(30, {"a", "b"}, "next+1"));
    EXPECT_EQ(target(), "/api/v1/pods?limit=2&continue=next%2B1");
    EXPECT_FALSE(reflector->is_synced());
    answer_list(list_text(33, {"c"}));
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a", "+b", "+c", "end"));
    bench.loop.run_ready();
    EXPECT_THAT(target(), HasSubstr("resourceVersion=30&"));
}

TEST_F(ReflectorTest, a_page_that_has_expired_begins_the_list_anew) {
    remake(kPods, {.page_size = 2});
    reflector->start();
    refuse(422);
    bench.loop.run_ready();
    answer_list(list_text(30, {"a", "b"}, "next"));
    refuse(410);
    bench.loop.advance(seconds{1});
    EXPECT_EQ(target(), "/api/v1/pods?limit=2");
    answer_list(list_text(40, {"b"}));
    EXPECT_THAT(handler.log, ElementsAre("begin", "+a", "+b", "begin", "+b", "end"));
    EXPECT_EQ(handler.names(), "b");
}

TEST_F(ReflectorTest, a_page_cut_in_the_middle_is_no_page) {
    remake(kPods);
    reflector->start();
    refuse(422);
    bench.loop.run_ready();
    const std::string whole = list_text(30, {"a", "b"});
    answer_list(whole.substr(0, whole.size() / 2));
    EXPECT_FALSE(reflector->is_synced());
    EXPECT_FALSE(handler.is_replacing && reflector->is_synced());
    EXPECT_THAT(handler.log, Not(::testing::Contains("end")));
    bench.loop.advance(seconds{1});
    answer_list(whole);
    EXPECT_EQ(handler.names(), "a b");
}

TEST_F(ReflectorTest, a_kind_that_is_not_installed_is_waited_for) {
    remake(kNodePools);
    reflector->start();
    refuse(404, "404 page not found");
    EXPECT_EQ(reflector->problem(),
              "the API server does not know nodepools of karpenter.sh/v1; is its CustomResourceDefinition "
              "installed?");
    EXPECT_FALSE(reflector->is_synced());
    bench.loop.advance(seconds{1});
    bench.http.start(last(), 200);
    data(bookmark_line(3, true));
    EXPECT_TRUE(reflector->is_synced());
    EXPECT_EQ(reflector->problem(), "");
}

TEST_F(ReflectorTest, a_dispensable_kind_that_we_may_not_read_is_as_if_it_were_not_there) {
    remake(kNodePools, {.is_dispensable = true});
    reflector->start();
    refuse(403);
    EXPECT_THAT(handler.log, ::testing::Contains("missing"));
    EXPECT_FALSE(reflector->is_synced());
    bench.loop.advance(seconds{10});
    bench.http.start(last(), 200);
    data(bookmark_line(3, true));
    EXPECT_TRUE(reflector->is_synced());
}

TEST_F(ReflectorTest, a_kind_that_is_taken_away_is_no_longer_synced) {
    sync();
    bench.http.end(last(), fail(ErrorKind::kUnavailable, "reset"));
    bench.loop.advance(seconds{1});
    refuse(404);
    EXPECT_FALSE(reflector->is_synced());
    bench.loop.advance(seconds{2});
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents"));
}

TEST_F(ReflectorTest, a_refusal_is_told_in_the_servers_words_and_its_wish_to_wait_is_kept) {
    reflector->start();
    refuse(
        429,
        R"({"kind":"Status","code":429,"message":"too many requests","details":{"retryAfterSeconds":20}})");
    EXPECT_EQ(reflector->problem(), "GET /api/v1/nodes: too many requests");
    EXPECT_EQ(requests_in(milliseconds{19'999}), 0u);
    EXPECT_EQ(requests_in(milliseconds{1}), 1u);
    refuse(403, R"({"kind":"Status","code":403,"message":"nodes is forbidden"})");
    EXPECT_EQ(reflector->problem(), "GET /api/v1/nodes: nodes is forbidden");
}

TEST_F(ReflectorTest, an_error_event_is_followed_by_the_same_watch_and_after_some_by_a_list) {
    sync();
    for (int i = 0; i < 2; ++i) {
        data(error_line(500, "etcd leader changed"));
        EXPECT_EQ(reflector->problem(), "GET /api/v1/nodes: etcd leader changed");
        bench.loop.advance(seconds{5});
        EXPECT_THAT(target(), HasSubstr("&resourceVersion=10&"));
        bench.http.start(last(), 200);
    }
    data(error_line(500, "etcd leader changed"));
    bench.loop.advance(seconds{5});
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents"));
}

TEST_F(ReflectorTest, an_event_that_cannot_be_read_makes_the_state_be_fetched_again) {
    sync();
    bench.loop.advance(minutes{1});
    data(event_line("ADDED", "c", 11) + "garbage\n" + event_line("ADDED", "d", 12));
    EXPECT_EQ(reflector->counters().bad_events, 1u);
    EXPECT_THAT(reflector->problem(), HasSubstr("an event could not be read"));
    EXPECT_THAT(handler.log, ElementsAre("+c"));
    EXPECT_EQ(requests_in(Duration{0}), 1u);
    EXPECT_THAT(target(), HasSubstr("sendInitialEvents"));
}

TEST_F(ReflectorTest, an_object_that_cannot_be_read_does_not_hold_up_the_others) {
    remake(kNodes, {.max_event_bytes = 500});
    reflector->start();
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5) + event_line("ADDED", std::string(600, 'x'), 6) +
         event_line("ADDED", "b", 7) + bookmark_line(10, true));
    EXPECT_EQ(handler.names(), "a b");
    EXPECT_TRUE(reflector->is_synced());
    EXPECT_FALSE(reflector->broken_since().has_value());
    EXPECT_EQ(reflector->problem(),
              "GET /api/v1/nodes: an event could not be read: an event is longer than 500 bytes");
    EXPECT_EQ(reflector->counters().bad_events, 1u);
    // A change to it later makes a list again, which is not done for ever at full speed.
    std::size_t lists = 0;
    data(event_line("MODIFIED", std::string(600, 'x'), 11));
    for (int i = 0; i < 60'000; ++i) {
        const std::size_t before = requests();
        bench.loop.advance(milliseconds{10});
        if (requests() == before) continue;
        ++lists;
        bench.http.start(last(), 200);
        data(event_line("ADDED", "a", 5) + bookmark_line(20, true) +
             event_line("MODIFIED", std::string(600, 'x'), 21));
    }
    EXPECT_LE(lists, 40u);
}

TEST_F(ReflectorTest, a_stream_cut_at_any_byte_gives_the_same_state) {
    const std::string stream = event_line("ADDED", "a", 5) + event_line("ADDED", "b", 6) +
                               bookmark_line(10, true) + event_line("MODIFIED", "a", 11) +
                               event_line("DELETED", "b", 12);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        handler = RecordingHandler();
        remake(kNodes);
        reflector->start();
        bench.http.start(last(), 200);
        data(stream.substr(0, cut));
        data(stream.substr(cut));
        EXPECT_EQ(handler.log, (std::vector<std::string>{"begin", "+a", "+b", "end", "+a", "-b"}))
            << "cut at " << cut;
    }
}

TEST_F(ReflectorTest, a_connection_cut_at_any_byte_loses_and_invents_nothing) {
    const std::string stream =
        event_line("ADDED", "c", 11) + event_line("DELETED", "a", 12) + event_line("ADDED", "d", 13);
    const std::vector<std::pair<std::uint64_t, std::string>> events{{11, event_line("ADDED", "c", 11)},
                                                                    {12, event_line("DELETED", "a", 12)},
                                                                    {13, event_line("ADDED", "d", 13)}};
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        handler = RecordingHandler();
        remake(kNodes);
        sync();
        data(stream.substr(0, cut));
        bench.http.end(last(), fail(ErrorKind::kUnavailable, "reset"));
        bench.loop.advance(seconds{1});
        // As a server does: all that is newer than the version asked for.
        const std::string asked = target();
        const std::size_t at = asked.find("resourceVersion=") + 16;
        bench.http.start(last(), 200);
        for (const auto& [version, line] : events) {
            if (version > std::stoull(asked.substr(at))) data(line);
        }
        EXPECT_EQ(handler.names(), "b c d") << "cut at " << cut;
        EXPECT_EQ(handler.log.size(), 3u) << "cut at " << cut;
    }
}

TEST_F(ReflectorTest, nothing_is_called_after_stop) {
    sync();
    reflector->stop();
    EXPECT_TRUE(bench.http.last_call().was_cancelled);
    EXPECT_EQ(requests_in(minutes{10}), 0u);
    EXPECT_FALSE(bench.loop.has_timers());
}

TEST_F(ReflectorTest, a_handler_may_stop_the_reflector) {
    struct Stopper final : ObjectHandler {
        void begin_replace() override {}
        void upsert(std::string_view) override {
            ++upserts;
            reflector->stop();
        }
        void remove(std::string_view) override {}
        void end_replace() override { ADD_FAILURE(); }
        Reflector* reflector = nullptr;
        int upserts = 0;
    } stopper;
    Reflector other(bench.loop, bench.client, kNodes, {}, Rng(1), stopper);
    stopper.reflector = &other;
    other.start();
    bench.http.start(last(), 200);
    data(event_line("ADDED", "a", 5) + event_line("ADDED", "b", 6) + bookmark_line(10, true));
    EXPECT_EQ(stopper.upserts, 1);
}

TEST_F(ReflectorTest, the_length_of_watches_varies_within_its_bounds) {
    sync();
    std::vector<int> lengths;
    for (int i = 0; i < 50; ++i) {
        bench.loop.advance(minutes{5});
        data(bookmark_line(100 + static_cast<std::uint64_t>(i)));
        bench.http.end(last());
        bench.loop.run_ready();
        bench.http.start(last(), 200);
        lengths.push_back(std::stoi(target().substr(target().find("timeoutSeconds=") + 15)));
    }
    const auto [least, most] = std::minmax_element(lengths.begin(), lengths.end());
    EXPECT_GE(*least, 290);
    EXPECT_LE(*most, 590);
    EXPECT_GT(*most - *least, 100);
}

}  // namespace
}  // namespace joiner::kube
