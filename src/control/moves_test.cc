#include "control/moves.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

model::PodState a_pod(const std::shared_ptr<const rules::PodLabels>& labels) {
    model::PodState pod;
    pod.labels = labels;
    return pod;
}
std::shared_ptr<const rules::PodLabels> some_labels() {
    return std::make_shared<const rules::PodLabels>(rules::PodLabels{"ns", {{"app", "web"}}});
}

TEST(Moves, count_for_an_hour) {
    Moves moves;
    const model::PodState pod = a_pod(some_labels());
    moves.note_leaving("a", pod, kNow);
    moves.note_leaving("a", pod, kNow + minutes{30});
    moves.note_leaving("b", pod, kNow + minutes{40});
    EXPECT_EQ(moves.within_the_hour(kNow + minutes{59}), (Moves::Counts{{"a", 2}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{1}), (Moves::Counts{{"a", 1}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{2}), Moves::Counts{});
}

TEST(Moves, a_node_that_a_moved_pod_came_to_is_known) {
    Moves moves;
    const model::PodState web = a_pod(some_labels());
    const model::PodState other = a_pod(some_labels());
    moves.note_leaving("a", web, kNow);
    moves.note_bound(other, "c", kNow + seconds{1});
    EXPECT_EQ(moves.came_to("c"), kNoTime) << "nobody moved it";
    moves.note_bound(web, "c", kNow + seconds{2});
    EXPECT_EQ(moves.came_to("c"), kNow + seconds{2});
    moves.note_bound(web, "d", kNow + seconds{3});
    EXPECT_EQ(moves.came_to("d"), kNoTime) << "one was moved, and it has come";
    moves.forget_claim("c");
    EXPECT_EQ(moves.came_to("c"), kNoTime);
}

TEST(Moves, a_pod_that_comes_much_later_was_not_moved) {
    Moves moves;
    const model::PodState web = a_pod(some_labels());
    moves.note_leaving("a", web, kNow);
    moves.note_bound(web, "c", kNow + minutes{16});
    EXPECT_EQ(moves.came_to("c"), kNoTime);
}

}  // namespace
}  // namespace joiner::control
