#include "control/moves.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

model::PodState a_pod(const std::string& app, const std::string& number = "", const std::string& zone = "a") {
    model::PodState pod({"ns", app + number, app + number});
    pod.labels = std::make_shared<const rules::PodLabels>(
        rules::PodLabels{"ns", {{"app", app}, {std::string(api::kZoneLabel), zone}}});
    return pod;
}

TEST(Moves, count_for_an_hour) {
    Moves moves;
    const model::PodState pod = a_pod("web");
    moves.note_leaving("a", pod, hours{1}, kNow);
    moves.note_leaving("a", pod, hours{1}, kNow + minutes{30});
    moves.note_leaving("b", pod, hours{1}, kNow + minutes{40});
    EXPECT_EQ(moves.within_the_hour(kNow + minutes{59}), (Moves::Counts{{"a", 2}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{1}), (Moves::Counts{{"a", 1}, {"b", 1}}));
    EXPECT_EQ(moves.within_the_hour(kNow + hours{2}), Moves::Counts{});
}

TEST(Moves, a_moved_pod_rests_until_its_move_has_paid) {
    Moves moves;
    const model::PodState web = a_pod("web");
    moves.note_leaving("a", web, hours{2}, kNow);
    moves.note_bound(a_pod("other"), kNow + seconds{1});
    moves.note_bound(a_pod("web", "1", "b"), kNow + seconds{2});
    EXPECT_EQ(moves.rests_until("other"), kNoTime) << "nobody moved it";
    EXPECT_EQ(moves.rests_until("web1"), kNow + hours{2});
    moves.note_bound(a_pod("web", "2"), kNow + seconds{3});
    EXPECT_EQ(moves.rests_until("web2"), kNoTime) << "one was moved, and it has come";
    moves.within_the_hour(kNow + hours{2} - seconds{1});
    EXPECT_EQ(moves.rests_until("web1"), kNow + hours{2});
    moves.within_the_hour(kNow + hours{2});
    EXPECT_EQ(moves.rests_until("web1"), kNoTime);
}

TEST(Moves, who_left_first_comes_first) {
    Moves moves;
    moves.note_leaving("a", a_pod("web"), hours{1}, kNow);
    moves.note_leaving("a", a_pod("web"), hours{3}, kNow);
    moves.note_bound(a_pod("web", "1"), kNow + seconds{1});
    moves.note_bound(a_pod("web", "2"), kNow + seconds{2});
    EXPECT_EQ(moves.rests_until("web1"), kNow + hours{1});
    EXPECT_EQ(moves.rests_until("web2"), kNow + hours{3});
    moves.forget_pod("web1");
    EXPECT_EQ(moves.rests_until("web1"), kNoTime);
}

TEST(Moves, a_pod_that_comes_much_later_was_not_moved) {
    Moves moves;
    moves.note_leaving("a", a_pod("web"), hours{1}, kNow);
    moves.note_bound(a_pod("web"), kNow + minutes{16});
    EXPECT_EQ(moves.rests_until("web"), kNoTime);
}

}  // namespace
}  // namespace joiner::control
