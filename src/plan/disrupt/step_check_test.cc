#include "plan/disrupt/step_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/up_node.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

std::shared_ptr<rules::PodShape> a_shape(std::int64_t cpu_milli) {
    auto shape = std::make_shared<rules::PodShape>();
    shape->requests.cpu_milli = cpu_milli;
    shape->requests.pods = 1;
    return shape;
}

// Two pods of a node that leaves go to the room "r", which has place for three; one is bought for.
struct Planned {
    model::Snapshot now;
    RepackQuestion question;
    RepackStep step;

    Planned() {
        model::RoomView room;
        room.name = "r";
        room.free.cpu_milli = 3000;
        room.free.pods = 10;
        now.rooms = {room};
        model::PoolView pool;
        pool.name = "default";
        pool.remaining = {{"cpu", 8000}};
        pool.types = std::make_shared<const std::vector<rules::InstanceType>>();
        now.pools = {pool};
        question.snapshot = now;
        for (const char* name : {"a", "b", "c"})
            question.snapshot.pods.push_back({{"ns", name, name}, a_shape(1000)});
        step.nodes = {"n"};
        step.placements = {{0, 0}, {1, 0}};
        Launch& launch = step.launches.emplace_back();
        launch.spec = std::make_shared<MachineSpec>();
        launch.pods = {2};
    }
};

TEST(StepCheck, s5_12_by_the_newest_snapshot) {
    const struct {
        std::string name;
        std::function<void(Planned&)> edit;
        bool is_as_planned;
    } cases[] = {
        {"nothing has changed", [](Planned&) {}, true},
        {"less room, and enough", [](Planned& p) { p.now.rooms[0].free.cpu_milli = 2000; }, true},
        {"less room than it needs", [](Planned& p) { p.now.rooms[0].free.cpu_milli = 1999; }, false},
        {"the room is gone", [](Planned& p) { p.now.rooms.clear(); }, false},
        {"the room is closed", [](Planned& p) { p.now.rooms[0].is_open = false; }, false},
        {"the room has a taint", [](Planned& p) { p.now.rooms[0].taints = {{"t", "", "NoSchedule", {}}}; },
         false},
        {"the room has another label", [](Planned& p) { p.now.rooms[0].labels.add_labels({{"x", "y"}}); },
         false},
        {"the pool is gone", [](Planned& p) { p.now.pools.clear(); }, false},
        {"the pool was changed", [](Planned& p) { ++p.now.pools[0].pool.meta.generation; }, false},
        {"other prices",
         [](Planned& p) {
             p.now.pools[0].types = std::make_shared<const std::vector<rules::InstanceType>>();
         },
         false},
        {"less may be bought", [](Planned& p) { p.now.pools[0].remaining[0].second = 7999; }, false},
        {"no limit any more", [](Planned& p) { p.now.pools[0].remaining.clear(); }, true},
        {"its pods ask about others", [](Planned& p) { p.step.is_independent = false; }, false},
    };
    for (const auto& c : cases) {
        Planned p;
        c.edit(p);
        EXPECT_EQ(StepCheck(p.question, p.now).is_as_planned(p.step), c.is_as_planned) << c.name;
    }
}

TEST(StepCheck, s5_12_steps_taken_before_have_their_room) {
    Planned p;
    StepCheck check(p.question, p.now);
    ASSERT_TRUE(check.is_as_planned(p.step));
    check.take(p.step);
    EXPECT_FALSE(check.is_as_planned(p.step)) << "one place is left";
    p.step.placements.pop_back();
    EXPECT_TRUE(check.is_as_planned(p.step));
}

TEST(StillLeaving, s5_12_only_with_the_pods_that_were_planned_for) {
    struct World {
        model::Cluster cluster{rules::PreferencePolicy::kRespect};
        api::NodePool pool;
        api::NodeClaim claim;
        api::Node node;
        std::vector<api::Pod> pods;

        void tell() {
            cluster.upsert(pool);
            cluster.upsert(claim);
            cluster.upsert(node);
            for (const api::Pod& pod : pods) cluster.upsert(pod);
        }
    };
    const struct {
        std::string name;
        std::function<void(World&)> edit;
        bool still;
    } cases[] = {
        {"as it was", [](World&) {}, true},
        {"a pod has come", [](World& w) { w.pods.push_back(samples::pod_on("n", "late")); }, false},
        {"a pod has gone", [](World& w) { w.cluster.remove(model::Kind::kPod, "ns", "a"), w.pods.clear(); },
         false},
        {"a pod was made again", [](World& w) { w.pods[0].meta.uid = "other"; }, false},
        {"a pod objects",
         [](World& w) { w.pods[0].meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true"; },
         false},
        {"the claim is going", [](World& w) { w.claim.meta.deleted = kNow; }, false},
        {"no longer idle for long enough", [](World& w) { w.pool.consolidate_after = {hours{2}, "2h"}; },
         false},
        {"consolidation was turned off", [](World& w) { w.pool.consolidate_after = {}; }, false},
    };
    for (const auto& c : cases) {
        World w;
        w.pool.meta.name = "default";
        w.pool.consolidate_after = {Duration{0}, "0s"};
        const samples::UpNode up = samples::up_node("c", "n", kNow - hours{1});
        w.claim = up.claim;
        w.node = up.node;
        w.pods = {samples::pod_on("n", "a")};
        w.tell();
        const model::PlannedPods planned;
        const model::ClaimNames in_commands;
        const std::map<std::string, WallTime, std::less<>> events;
        const auto types = std::make_shared<const std::vector<rules::InstanceType>>();
        const DisruptionFacts facts{w.cluster, planned, in_commands, events,
                                    [&](const api::NodePool&) { return types; }};
        RepackQuestion question;
        const CandidateFinder before(facts, DisruptionClass::kGraceful, kNow);
        question.candidates = {before.make(*w.cluster.find_claim("c"))};
        question.snapshot.pods.push_back({{"ns", "a", "a"}, w.cluster.find_pod("ns/a")->shape});
        question.pods = {{0}};
        RepackStep step;
        step.nodes = {"n"};
        c.edit(w);
        w.tell();
        const CandidateFinder finder(facts, DisruptionClass::kGraceful, kNow);
        EXPECT_EQ(still_leaving(question, step, finder, w.cluster, kNow).has_value(), c.still) << c.name;
    }
}

}  // namespace
}  // namespace joiner::plan
