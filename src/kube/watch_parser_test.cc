#include "kube/watch_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kube/testing/kube_bench.h"

namespace joiner::kube {
namespace {

using testing::bookmark_line;
using testing::error_line;
using testing::event_line;

std::string describe(const Result<WatchEvent>& event) {
    if (!event) return "bad: " + event.error().message;
    static constexpr const char* kTypes[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    return fmt::format("{} rv={}{} {}", kTypes[static_cast<int>(event->type)], event->resource_version,
                       event->ends_initial_events ? " end" : "", event->object);
}

std::vector<std::string> parse(const std::vector<std::string>& pieces,
                               std::size_t max_event_bytes = 1u << 20) {
    WatchParser parser(max_event_bytes);
    std::vector<std::string> events;
    for (const std::string& piece : pieces) {
        parser.feed(piece, [&](const Result<WatchEvent>& event) {
            events.push_back(describe(event));
            return true;
        });
    }
    return events;
}

TEST(WatchParser, each_line_is_an_event_with_the_raw_text_of_its_object) {
    const std::string object =
        R"({"kind":"Pod","metadata":{"name":"a","managedFields":[{"f":{"}":1}}],"resourceVersion":"12"},"spec":{"x":"\"}{"}})";
    const auto events = parse({R"({"type":"ADDED","object":)" + object + "}\n"});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0], "ADDED rv=12 " + object);
}

TEST(WatchParser, a_stream_cut_at_any_byte_reads_the_same) {
    const std::string stream = event_line("ADDED", "a", 1) + "\n" + event_line("MODIFIED", "b", 2) +
                               bookmark_line(3, true) + event_line("DELETED", "c", 4) +
                               error_line(410, "too old");
    const auto whole = parse({stream});
    ASSERT_EQ(whole.size(), 5u);
    EXPECT_EQ(whole[2].substr(0, 17), "BOOKMARK rv=3 end");
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        EXPECT_EQ(parse({stream.substr(0, cut), stream.substr(cut)}), whole) << "cut at " << cut;
    }
    std::vector<std::string> bytes;
    for (const char c : stream) bytes.emplace_back(1, c);
    EXPECT_EQ(parse(bytes), whole);
}

TEST(WatchParser, the_order_of_fields_and_white_space_do_not_matter) {
    const auto events =
        parse({" { \"object\" : {\"spec\":{},\"metadata\":{\"x\":null,\"resourceVersion\":\"7\"}} , "
               "\"type\" : \"DELETED\" } \r\n"});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0], "DELETED rv=7 {\"spec\":{},\"metadata\":{\"x\":null,\"resourceVersion\":\"7\"}}");
}

TEST(WatchParser, only_the_annotation_set_to_true_ends_the_initial_events) {
    const auto line = [](std::string_view annotations) {
        return fmt::format(
                   R"({{"type":"BOOKMARK","object":{{"metadata":{{"annotations":{},"resourceVersion":"1"}}}}}})",
                   annotations) +
               "\n";
    };
    EXPECT_EQ(parse({line(R"({"k8s.io/initial-events-end":"true"})")})[0].substr(0, 17), "BOOKMARK rv=1 end");
    for (const char* other :
         {R"({"k8s.io/initial-events-end":"false"})", R"({"other":"true"})", "{}", "null"}) {
        EXPECT_EQ(parse({line(other)})[0].substr(0, 15), "BOOKMARK rv=1 {") << other;
    }
}

TEST(WatchParser, what_is_no_event_is_bad_and_the_next_line_is_read) {
    const std::string good = event_line("ADDED", "a", 5);
    for (const std::string bad :
         {"garbage", "[]", "7", "\"text\"", "{", "{}", "{\"type\":\"ADDED\"}", "{\"type\":7,\"object\":{}}",
          "{\"type\":\"ADDED\",\"object\":null}", "{\"type\":\"ADDED\",\"object\":[]}",
          "{\"type\":\"ADDED\",\"object\":{}}", "{\"type\":\"ADDED\",\"object\":{\"metadata\":null}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{}}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":5}}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"\"}}}",
          "{\"type\":\"RENAMED\",\"object\":{\"metadata\":{\"resourceVersion\":\"5\"}}}",
          "{\"object\":{\"metadata\":{\"resourceVersion\":\"5\"}}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"resourceVersion\":\"5\"}}",
          // Found by fuzzing: simdjson must not be asked for more after these.
          "{\"type\":\"ADDED\",\"object\":{\"kind\":\"ERROR\"\"Pod\",\"metadata\":{\"resourceVersion\":\"5\"}"
          "}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"annotations\":{\"a\" "
          "\"b\"},\"resourceVersion\":\"5\"}}}",
          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"annotations\" 5,\"resourceVersion\":\"5\"}}}",
          "\xff\xfe", "{\"type\":\"ADD\xff\"}"}) {
        const auto events = parse({bad + "\n" + good});
        ASSERT_EQ(events.size(), 2u) << bad;
        EXPECT_TRUE(events[0].starts_with("bad: ")) << bad << " became " << events[0];
        EXPECT_TRUE(events[1].starts_with("ADDED rv=5")) << bad;
    }
}

TEST(WatchParser, an_event_beyond_the_bound_is_reported_once_and_skipped) {
    const std::string good = event_line("ADDED", "a", 5);
    const std::string huge = event_line("ADDED", std::string(3000, 'x'), 6);
    std::vector<std::string> pieces{good};
    for (std::size_t i = 0; i < huge.size(); i += 100) pieces.push_back(huge.substr(i, 100));
    pieces.push_back(good);
    const auto events = parse(pieces, 1000);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1], "bad: an event is longer than 1000 bytes");
    EXPECT_TRUE(events[2].starts_with("ADDED rv=5"));
}

TEST(WatchParser, an_event_of_exactly_the_bound_is_read) {
    const std::string line = event_line("ADDED", "a", 5);
    EXPECT_TRUE(parse({line}, line.size() - 1)[0].starts_with("ADDED"));
    EXPECT_TRUE(parse({line}, line.size() - 2)[0].starts_with("bad"));
}

TEST(WatchParser, a_sink_that_has_enough_ends_the_stream) {
    WatchParser parser(1000);
    int events = 0;
    const auto sink = [&](const Result<WatchEvent>&) { return ++events < 2; };
    parser.feed(
        event_line("ADDED", "a", 1) + event_line("ADDED", "b", 2) + event_line("ADDED", "c", 3) + "{\"ty",
        sink);
    EXPECT_EQ(events, 2);
    EXPECT_FALSE(parser.is_inside_event());
}

TEST(WatchParser, reset_forgets_half_an_event) {
    WatchParser parser(1000);
    int events = 0;
    const auto sink = [&](const Result<WatchEvent>& event) { return events += event ? 1 : 100, true; };
    parser.feed("{\"type\":\"ADD", sink);
    EXPECT_TRUE(parser.is_inside_event());
    parser.reset();
    parser.feed(event_line("ADDED", "a", 1), sink);
    EXPECT_EQ(events, 1);
}

TEST(WatchParser, a_large_event_in_small_pieces_takes_linear_time) {
    WatchParser parser(64u << 20);
    int events = 0;
    const std::string line = event_line("ADDED", std::string(20u << 20, 'x'), 6);
    const auto sink = [&](const Result<WatchEvent>& event) { return events += event ? 1 : 100, true; };
    // Quadratic work would be 20 MB times 5,000 pieces, minutes under a sanitizer.
    for (std::size_t i = 0; i < line.size(); i += 4096)
        parser.feed(std::string_view(line).substr(i, 4096), sink);
    EXPECT_EQ(events, 1);
}

TEST(ListParser, items_come_in_order_with_the_lists_version_and_token) {
    std::string body =
        R"({"kind":"PodList","metadata":{"resourceVersion":"9","continue":"tok","remainingItemCount":3},)"
        R"("items":[{"a":1}, {"b":{"c":[]}} ]})";
    std::string items;
    const auto meta = parse_list(body, [&](std::string_view item) { return items += item, true; });
    ASSERT_TRUE(meta.has_value());
    EXPECT_EQ(items, R"({"a":1}{"b":{"c":[]}})");
    EXPECT_EQ(meta->resource_version, "9");
    EXPECT_EQ(meta->continue_token, "tok");
}

TEST(ListParser, an_empty_list_may_be_an_array_or_null_and_may_stand_before_its_metadata) {
    for (std::string body : {R"({"items":[],"metadata":{"resourceVersion":"9"}})",
                             R"({"metadata":{"resourceVersion":"9"},"items":null})"}) {
        const auto meta = parse_list(body, [](std::string_view) { return true; });
        ASSERT_TRUE(meta.has_value()) << body;
        EXPECT_EQ(meta->resource_version, "9");
        EXPECT_TRUE(meta->continue_token.empty());
    }
}

TEST(ListParser, what_is_no_whole_list_is_an_error) {
    for (std::string body : {"", "x", "[]", "{}", R"({"metadata":{"resourceVersion":"9"}})",
                             R"({"items":[]})", R"({"metadata":{"resourceVersion":"9"},"items":[7]})",
                             R"({"metadata":{"resourceVersion":"9"},"items":[{"a":1},)",
                             R"({"metadata":{"resourceVersion":9},"items":[]})",
                             // Found by fuzzing.
                             R"({"metadata":{"resourceVersion":"9"},"items":nu[]ll})"}) {
        EXPECT_FALSE(parse_list(body, [](std::string_view) { return true; }).has_value()) << body;
    }
}

}  // namespace
}  // namespace joiner::kube
