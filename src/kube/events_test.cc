#include "kube/events.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kube/testing/kube_bench.h"

namespace joiner::kube {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::KubeBench;

Event an_event(std::string name, std::string message = "m") {
    return {.target = {.api_version = "v1",
                       .kind = "Pod",
                       .ns = "web",
                       .name = std::move(name),
                       .uid = "u1",
                       .resource_version = "7"},
            .reason = "Nominated",
            .message = std::move(message)};
}

class EventsTest : public ::testing::Test {
  protected:
    EventsTest() { make({}); }
    void make(EventRecorder::Options options) {
        options.instance = "host-1";
        recorder = std::make_unique<EventRecorder>(bench.loop, bench.client, options);
    }
    std::size_t sent() const { return bench.http.calls.size(); }
    json last() const { return json::parse(bench.http.last_call().request.body); }
    void answer_all() {
        while (!bench.http.open_calls().empty()) {
            for (const io::RequestId id : bench.http.open_calls()) bench.http.answer(id, 201);
        }
    }

    KubeBench bench{ClientOptions{.qps = 1e6, .burst = 1'000'000, .max_in_flight = 1'000'000}};
    std::unique_ptr<EventRecorder> recorder;
};

TEST_F(EventsTest, an_event_has_what_kubectl_describe_looks_for) {
    recorder->record(an_event("p1", "why"));
    EXPECT_EQ(bench.http.last_call().request.method, "POST");
    EXPECT_EQ(bench.http.last_call().request.target, "/api/v1/namespaces/web/events");
    const json event = last();
    EXPECT_EQ(event["involvedObject"], (json{{"apiVersion", "v1"},
                                             {"kind", "Pod"},
                                             {"name", "p1"},
                                             {"namespace", "web"},
                                             {"uid", "u1"},
                                             {"resourceVersion", "7"}}));
    EXPECT_EQ(event["reason"], "Nominated");
    EXPECT_EQ(event["message"], "why");
    EXPECT_EQ(event["type"], "Normal");
    EXPECT_EQ(event["source"]["component"], "karpenter");
    EXPECT_EQ(event["reportingComponent"], "karpenter");
    EXPECT_EQ(event["reportingInstance"], "host-1");
    EXPECT_EQ(event["firstTimestamp"], format_rfc3339(bench.loop.now()));
    EXPECT_EQ(event["count"], 1);
    EXPECT_EQ(event["metadata"]["name"], fmt::format("p1.{:x}", bench.loop.now().time_since_epoch().count()));
}

TEST_F(EventsTest, a_cluster_scoped_object_has_its_events_in_default) {
    Event event = an_event("n1");
    event.target.kind = "Node";
    event.target.ns.clear();
    event.warning = true;
    recorder->record(event);
    EXPECT_EQ(bench.http.last_call().request.target, "/api/v1/namespaces/default/events");
    EXPECT_EQ(last()["type"], "Warning");
    EXPECT_FALSE(last()["involvedObject"].contains("namespace"));
}

TEST_F(EventsTest, an_equal_event_is_told_once_in_its_time) {
    for (int i = 0; i < 5; ++i) recorder->record(an_event("p1"));
    EXPECT_EQ(sent(), 1u);
    recorder->record(an_event("p1", "another message"));
    recorder->record(an_event("p2"));
    EXPECT_EQ(sent(), 3u);
    bench.loop.advance(minutes{2} - seconds{1});
    recorder->record(an_event("p1"));
    EXPECT_EQ(sent(), 3u);
    bench.loop.advance(seconds{1});
    recorder->record(an_event("p1"));
    EXPECT_EQ(sent(), 4u);
    EXPECT_EQ(recorder->dropped(), 0u);
}

TEST_F(EventsTest, names_are_never_the_same_though_time_stands_still) {
    std::set<std::string> names;
    for (int i = 0; i < 20; ++i) {
        recorder->record(an_event("p1", std::to_string(i)));
        names.insert(last()["metadata"]["name"]);
    }
    EXPECT_EQ(names.size(), 20u);
}

TEST_F(EventsTest, a_storm_of_one_reason_is_cut_and_leaves_the_others_be) {
    make({.per_reason_per_second = 5, .per_reason_burst = 10});
    for (int i = 0; i < 100; ++i) recorder->record(an_event("p" + std::to_string(i)));
    EXPECT_EQ(sent(), 10u);
    EXPECT_EQ(recorder->dropped(), 90u);
    Event other = an_event("p");
    other.reason = "Disrupted";
    recorder->record(other);
    EXPECT_EQ(sent(), 11u);
    // What was dropped is not remembered as told.
    bench.loop.advance(seconds{1});
    recorder->record(an_event("p99"));
    EXPECT_EQ(sent(), 12u);
}

TEST_F(EventsTest, a_server_that_does_not_answer_gets_no_more_than_the_bound) {
    make({.max_in_flight = 7, .per_reason_burst = 1000});
    for (int i = 0; i < 20; ++i) recorder->record(an_event("p" + std::to_string(i)));
    EXPECT_EQ(sent(), 7u);
    EXPECT_EQ(recorder->dropped(), 13u);
    answer_all();
    recorder->record(an_event("p19"));
    EXPECT_EQ(sent(), 8u);
}

TEST_F(EventsTest, an_event_the_server_refuses_is_counted_and_forgotten) {
    recorder->record(an_event("p1"));
    bench.http.answer(bench.http.last(), 403);
    EXPECT_EQ(recorder->dropped(), 1u);
}

TEST_F(EventsTest, what_is_remembered_is_bounded) {
    make({.max_remembered = 3, .per_reason_burst = 1000});
    for (const char* name : {"a", "b", "c", "d"}) recorder->record(an_event(name));
    recorder->record(an_event("d"));
    EXPECT_EQ(sent(), 4u);
    recorder->record(an_event("a"));
    EXPECT_EQ(sent(), 5u);
}

TEST_F(EventsTest, a_long_message_is_cut_between_characters_and_a_long_name_fits) {
    std::string message(1020, 'x');
    message += "\xc3\xa4 and more";
    Event event = an_event(std::string(253, 'n'), message);
    recorder->record(event);
    EXPECT_EQ(last()["message"], std::string(1020, 'x') + "...");
    EXPECT_EQ(last()["metadata"]["name"].get<std::string>().size(), 253u);
}

TEST_F(EventsTest, a_destroyed_recorder_is_not_called_back) {
    recorder->record(an_event("p1"));
    recorder.reset();
    bench.http.answer(bench.http.last(), 500);
}

}  // namespace
}  // namespace joiner::kube
