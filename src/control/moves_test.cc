#include "control/moves.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

model::PodState a_pod(const std::string& app, const std::string& zone = "a") {
    model::PodState pod;
    pod.ns = "ns";
    pod.labels = std::make_shared<const rules::PodLabels>(
        rules::PodLabels{"ns", {{"app", app}, {std::string(api::kZoneLabel), zone}}});
    return pod;
}

TEST(Moves, count_for_an_hour) {
    Moves moves;
    const model::PodState pod = a_pod("web");
    moves.note_leaving("a", pod, kNow);
    moves.note_leaving("a", pod, kNow + minutes{30});
    moves.note_leaving("b", pod, kNow + minutes{40});
    EXPECT_EQ(moves.within_the_hour(kNow + minutes{59}), (Moves::Counts{{"a", 2}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{1}), (Moves::Counts{{"a", 1}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{2}), Moves::Counts{});
}

TEST(Moves, a_node_that_a_moved_pod_came_to_is_known) {
    Moves moves;
    const model::PodState web = a_pod("web");
    const model::PodState other = a_pod("other");
    moves.note_leaving("a", web, kNow);
    moves.note_bound(other, "c", kNow + seconds{1});
    EXPECT_EQ(moves.came_to("c"), kNoTime) << "nobody moved it";
    moves.note_bound(a_pod("web", "b"), "c", kNow + seconds{2});
    EXPECT_EQ(moves.came_to("c"), kNow + seconds{2});
    moves.note_bound(web, "d", kNow + seconds{3});
    EXPECT_EQ(moves.came_to("d"), kNoTime) << "one was moved, and it has come";
    moves.forget_claim("c");
    EXPECT_EQ(moves.came_to("c"), kNoTime);
}

TEST(Moves, a_pod_that_comes_much_later_was_not_moved) {
    Moves moves;
    const model::PodState web = a_pod("web");
    moves.note_leaving("a", web, kNow);
    moves.note_bound(web, "c", kNow + minutes{16});
    EXPECT_EQ(moves.came_to("c"), kNoTime);
}

}  // namespace
}  // namespace joiner::control
