#include "plan/disrupt/pool_return.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

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

}  // namespace
}  // namespace joiner::plan
