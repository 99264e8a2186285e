#include "plan/disrupt/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "model/capacity_mix.h"
#include "plan/disrupt/gate.h"
#include "plan/testing/one_type.h"

namespace joiner::plan {
namespace {

using rules::Requirement;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Question {
    model::Snapshot snapshot;
    Candidate leaving{.claim = "c", .node = "n", .pool = "default", .price = {}, .pods = {}};

    Question() {
        model::PoolView& pool = snapshot.pools.emplace_back();
        pool.name = "default";
        pool.types = samples::one_type();
        pool.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {"default"}));
    }
    void pod(const std::string& name, std::int64_t cpu_milli, bool moves) {
        auto shape = std::make_shared<rules::PodShape>();
        shape->requests.cpu_milli = cpu_milli;
        shape->requests.pods = 1;
        shape->required.emplace_back();
        shape->key = std::to_string(cpu_milli);
        snapshot.pods.push_back({{"ns", name, name}, shape, kNoTime});
        if (moves) leaving.pods.push_back(snapshot.pods.back().id);
    }
    void room(const std::string& name, std::int64_t cpu_milli) {
        model::RoomView& room = snapshot.rooms.emplace_back();
        room.name = name;
        room.free.cpu_milli = cpu_milli;
        room.free.pods = 100;
    }
    // Half of all cores are to be on demand: the leaving node is, and the room is on spot.
    void keep_half_on_demand(std::int64_t spot_milli) {
        leaving.milli_cores = 4000;
        model::PoolView whole = snapshot.pools.front();
        snapshot.pools = model::split_by_ratio(whole, {{0, 50}, 0, spot_milli});
        for (model::RoomView& room : snapshot.rooms)
            room.labels.add_labels({{std::string(api::kNodePoolLabel), "default"},
                                    {std::string(api::kCapacityTypeLabel), std::string(api::kSpot)}});
    }
    Result<DisruptionCommand> plan() const { return plan_replacement(snapshot, {leaving}, kDrifted, {}); }
};

TEST(PlanReplacement, s5_7_a_node_without_pods_needs_nothing) {
    Question q;
    q.pod("waits", 1000, false);
    const auto command = q.plan();
    ASSERT_TRUE(command);
    EXPECT_EQ(command->reason, kDrifted);
    EXPECT_THAT(command->leaving, SizeIs(1));
    EXPECT_THAT(command->launches, IsEmpty()) << "what others need is not its business";
}

TEST(PlanReplacement, s5_7_pods_go_where_there_is_room) {
    Question q;
    q.pod("moves", 1000, true);
    q.room("m", 1500);
    const auto command = q.plan();
    ASSERT_TRUE(command);
    EXPECT_THAT(command->launches, IsEmpty());
    ASSERT_THAT(command->placements, SizeIs(1));
    EXPECT_EQ(command->placements[0].room, 0u);
}

TEST(PlanReplacement, s5_7_what_has_no_room_is_launched_first) {
    Question q;
    q.pod("moves", 3000, true);
    q.pod("moves-too", 3000, true);
    q.pod("waits", 3500, false);
    q.room("m", 3000);
    const auto command = q.plan();
    ASSERT_TRUE(command);
    EXPECT_THAT(command->placements, SizeIs(1));
    ASSERT_THAT(command->launches, SizeIs(1)) << "and not the one for the pod that waits";
    ASSERT_THAT(command->launches[0].pods, SizeIs(1));
    EXPECT_NE(command->launches[0].pods[0], 2u);
}

TEST(PlanReplacement, s5_7_a_pod_without_a_place_keeps_its_node) {
    Question q;
    q.pod("too-large", 5000, true);
    const auto command = q.plan();
    ASSERT_FALSE(command);
    EXPECT_EQ(command.error().kind, ErrorKind::kUnavailable);
    EXPECT_THAT(command.error().message, HasSubstr("pod ns/too-large would have no place"));
}

TEST(PlanReplacement, s5_7_pods_that_wait_anyway_keep_nobody) {
    Question q;
    q.pod("too-large", 5000, false);
    q.pod("moves", 1000, true);
    EXPECT_TRUE(q.plan());
}

TEST(PlanReplacement, a_ratio_is_not_broken_for_a_saving) {
    Question q;
    q.pod("moves", 1000, true);
    q.room("m", 1500);
    q.keep_half_on_demand(4000);
    const auto command = plan_replacement(q.snapshot, {q.leaving}, kUnderutilized, {});
    ASSERT_FALSE(command);
    EXPECT_THAT(command.error().message, HasSubstr("NodePool default would have less on demand"));
    Question spare;
    spare.pod("moves", 1000, true);
    spare.room("m", 1500);
    spare.keep_half_on_demand(0);
    EXPECT_TRUE(plan_replacement(spare.snapshot, {spare.leaving}, kUnderutilized, {}));
}

TEST(PlanReplacement, what_must_go_is_replaced_on_demand_where_the_ratio_asks_for_it) {
    Question q;
    q.pod("moves", 1000, true);
    q.room("m", 1500);
    q.keep_half_on_demand(4000);
    const auto command = q.plan();
    ASSERT_TRUE(command);
    EXPECT_THAT(command->placements, IsEmpty());
    ASSERT_THAT(command->launches, SizeIs(1));
    EXPECT_EQ(command->launches[0].spec->capacity_type, api::kOnDemand);
}

}  // namespace
}  // namespace joiner::plan
