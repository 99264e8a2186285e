#include "plan/disrupt/pool_return.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"
#include "plan/testing/one_type.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using testing::ElementsAre;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Node "n" of claim "c" in the world's pool, which stands in for "heavy".
struct World : samples::DisruptionWorld {
    api::NodePool heavy;
    api::NodeClaim claim;
    api::Node node;

    World() {
        heavy = pool;
        heavy.meta.name = "heavy";
        heavy.meta.uid = "heavy";
        heavy.weight = 10;
        const samples::UpNode up = samples::up_node("c", "n", kNow - hours{1});
        claim = up.claim;
        claim.meta.annotations[std::string(api::kPassedOverAnnotation)] = "heavy";
        node = up.node;
    }
    std::map<std::string, PassedOver, std::less<>> find() {
        put_pool();
        cluster.upsert(heavy);
        put({claim, node});
        return find_passed_over(cluster);
    }
};

TEST(FindPassedOver, names_claims_that_stand_in_for_a_heavier_pool_that_is_still_there) {
    const struct {
        std::string name;
        std::function<void(World&)> edit;
        bool is;
    } cases[] = {
        {"it is", [](World&) {}, true},
        {"nobody was passed over", [](World& w) { w.claim.meta.annotations.clear(); }, false},
        {"it is not heavier any more", [](World& w) { w.heavy.weight = w.pool.weight; }, false},
        {"it is gone", [](World& w) { w.heavy.meta.name = "other"; }, false},
        {"it is static by now", [](World& w) { w.heavy.replicas = 3; }, false},
        {"the claim goes already", [](World& w) { w.claim.meta.deleted = kNow; }, false},
        {"its own pool keeps it",
         [](World& w) { w.pool.meta.annotations[std::string(api::kReturnAnnotation)] = "false"; }, false},
        {"its own pool says something else",
         [](World& w) { w.pool.meta.annotations[std::string(api::kReturnAnnotation)] = "no"; }, false},
        {"its own pool lets it go",
         [](World& w) { w.pool.meta.annotations[std::string(api::kReturnAnnotation)] = "true"; }, true},
    };
    for (const auto& each : cases) {
        World w;
        each.edit(w);
        const auto found = w.find();
        EXPECT_EQ(found.size(), each.is ? 1u : 0u) << each.name;
        if (!each.is || found.empty()) continue;
        EXPECT_EQ(found.begin()->first, "heavy") << each.name;
        EXPECT_THAT(found.begin()->second.claims, ElementsAre("c")) << each.name;
        EXPECT_EQ(found.begin()->second.last, w.claim.meta.created) << each.name;
    }
}

// A node of "light" with one pod, and rooms of both pools.
struct Question {
    model::Snapshot snapshot;
    Candidate leaving{.claim = "c", .node = "n", .pool = "light", .price = {}, .pods = {}};

    Question() {
        for (const auto& [name, weight] : {std::pair{"heavy", 10}, std::pair{"light", 1}}) {
            model::PoolView& pool = snapshot.pools.emplace_back();
            pool.name = name;
            pool.weight = weight;
            pool.types = samples::one_type();
            pool.requirements.add(rules::Requirement::in(std::string(api::kNodePoolLabel), {name}));
        }
        auto shape = std::make_shared<rules::PodShape>();
        shape->requests.cpu_milli = 1000;
        shape->requests.pods = 1;
        shape->required.emplace_back();
        snapshot.pods.push_back({{"ns", "p", "p"}, shape, kNoTime});
        leaving.pods.push_back(snapshot.pods.back().id);
    }
    void room(const std::string& pool) {
        model::RoomView& room = snapshot.rooms.emplace_back();
        room.name = "room-of-" + pool;
        room.labels.add_labels({{std::string(api::kNodePoolLabel), pool}});
        room.free.cpu_milli = 2000;
        room.free.pods = 100;
    }
};

TEST(PlanReturn, goes_to_rooms_and_new_nodes_of_heavier_pools_and_to_no_others) {
    const struct {
        std::string name;
        std::function<void(Question&)> edit;
        std::size_t launches, placements;
        bool is_refused = false;
    } cases[] = {
        {"a new node", [](Question&) {}, 1, 0},
        {"room in the heavier pool", [](Question& q) { q.room("heavy"); }, 0, 1},
        {"room in its own pool is none", [](Question& q) { q.room("light"); }, 1, 0},
        {"nor is that of nobody's pool", [](Question& q) { q.room("static"); }, 1, 0},
        {"others that wait are not bought for",
         [](Question& q) {
             q.snapshot.pods.insert(q.snapshot.pods.begin(),
                                    {{"ns", "other", "other"}, q.snapshot.pods[0].shape, kNoTime});
         },
         1, 0},
        {"sold out", [](Question& q) { q.snapshot.pools[0].types = samples::one_type(4000, false); }, 0, 0,
         true},
        {"no heavier pool", [](Question& q) { q.snapshot.pools[0].weight = 1; }, 0, 0, true},
    };
    for (const auto& each : cases) {
        Question q;
        each.edit(q);
        const auto command = plan_return(q.snapshot, q.leaving, 1, {});
        ASSERT_EQ(command.has_value(), !each.is_refused) << each.name;
        if (!command) continue;
        EXPECT_EQ(command->launches.size(), each.launches) << each.name;
        for (const Launch& launch : command->launches) EXPECT_EQ(launch.pods.size(), 1u) << each.name;
        EXPECT_EQ(command->placements.size(), each.placements) << each.name;
        EXPECT_EQ(command->returns_to, "heavy") << each.name;
        EXPECT_EQ(command->reason, kUnderutilized) << each.name;
    }
}

}  // namespace
}  // namespace joiner::plan
