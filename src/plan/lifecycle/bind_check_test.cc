#include "plan/lifecycle/bind_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Nodes "a" and "b", each in the zone of its name with two cores free, and pods of one core that ask for a
// spread over zones.
model::Snapshot spread_pods(int count) {
    model::Snapshot out;
    for (const char* name : {"a", "b"}) {
        model::RoomView room;
        room.name = name;
        room.labels.add_labels(
            {{std::string(api::kHostnameLabel), name}, {std::string(api::kZoneLabel), name}});
        room.free.cpu_milli = 2000;
        room.free.pods = 10;
        out.rooms.push_back(std::move(room));
    }
    api::Pod pod;
    pod.meta.ns = "ns";
    pod.meta.labels = {{"app", "x"}};
    pod.spec.containers.emplace_back().requests["cpu"] = Quantity::of_units(1);
    api::TopologySpreadConstraint spread;
    spread.topology_key = api::kZoneLabel;
    spread.selector = api::LabelSelector{{{"app", "x"}}, {}};
    spread.when_unsatisfiable = "DoNotSchedule";
    pod.spec.topology_spread.push_back(spread);
    const auto shape = std::make_shared<const rules::PodShape>(
        rules::make_pod_shape(pod, rules::PreferencePolicy::kRespect));
    const auto labels =
        std::make_shared<const rules::PodLabels>(rules::PodLabels{pod.meta.ns, pod.meta.labels});
    for (int i = 1; i <= count; ++i)
        out.pods.push_back(
            {{"ns", "p" + std::to_string(i), "u" + std::to_string(i)}, shape, kNoTime, labels});
    return out;
}

TEST(BindCheck, pods_that_balance_each_other_are_bound_together) {
    EXPECT_THAT(may_be_bound(spread_pods(4), {{"u1", "a"}, {"u2", "a"}, {"u3", "b"}, {"u4", "b"}}),
                ElementsAre("u1", "u2", "u3", "u4"));
}

TEST(BindCheck, pods_wait_for_those_that_let_them_in) {
    EXPECT_EQ(may_be_bound(spread_pods(4), {{"u1", "a"}, {"u2", "a"}}).size(), 1u)
        << "a second one in the zone would be two more than none";
}

TEST(BindCheck, of_two_that_exclude_each_other_the_older_goes_first) {
    EXPECT_THAT(may_be_bound(spread_pods(2), {{"u1", "a"}, {"u2", "a"}}), ElementsAre("u1"));
}

TEST(BindCheck, a_node_that_is_not_there_holds_nothing) {
    EXPECT_THAT(may_be_bound(spread_pods(1), {{"u1", "gone"}}), IsEmpty());
}

TEST(BindCheck, room_is_looked_at_again) {
    model::Snapshot snapshot = spread_pods(2);
    snapshot.rooms[1].free.cpu_milli = 0;
    EXPECT_THAT(may_be_bound(snapshot, {{"u1", "a"}, {"u2", "b"}}), ElementsAre("u1"));
}

}  // namespace
}  // namespace joiner::plan
