#include "plan/lifecycle/legacy_repair.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr WallTime kNow{seconds{1'800'000'000}};

const std::vector<rules::RepairPolicy> kPolicies = {
    {.condition = "Ready", .status = "False", .toleration = minutes{10}},
    {.condition = "Ready", .status = "Unknown", .reason_regex = ".*", .toleration = minutes{10}},
    {.condition = "Disk", .status = "True", .reason_regex = "^Full", .toleration = minutes{30}},
    {.condition = "Disk", .status = "True", .reason_regex = ".*", .action = rules::RepairAction::kReboot}};

struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};

    // A node of `pool` whose condition has had the status for so long.
    World& node(const std::string& name, const std::string& pool, const std::string& ready, Duration since,
                bool is_going = false) {
        api::NodeClaim claim;
        claim.meta.name = name;
        claim.provider_id = "p://" + name;
        if (!pool.empty()) claim.meta.labels[std::string(api::kNodePoolLabel)] = pool;
        if (is_going) claim.meta.deleted = kNow;
        cluster.upsert(claim);
        api::Node node;
        node.meta.name = "n-" + name;
        node.provider_id = claim.provider_id;
        node.conditions = {{"Ready", ready, "Because", "", kNow - since, 0}};
        cluster.upsert(node);
        return *this;
    }
    World& healthy(int count, const std::string& pool) {
        for (int i = 0; i < count; ++i) node(fmt::format("{}-{}", pool, i), pool, "True", minutes{60});
        return *this;
    }
    LegacyRepairPlan plan() const {
        // Of the class that claims without one name.
        LegacyPoliciesByClass policies;
        policies.add(rules::NodeClassKinds(std::vector<rules::NodeClassKind>(1)), kPolicies);
        return plan_legacy_repair(cluster, policies, kNow);
    }
};

TEST(PlanLegacyRepair, s4_8_repairs_who_is_sick_for_too_long_while_few_are) {
    const struct {
        const char* name;
        std::size_t repairs;
        std::size_t blocked;
        std::function<void(World&)> edit;
    } cases[] = {
        {"nobody is sick", 0, 0, [](World& w) { w.healthy(3, "a"); }},
        {"not long enough", 0, 0, [](World& w) { w.node("s", "a", "False", minutes{10} - seconds{1}); }},
        {"the only node there is", 1, 0, [](World& w) { w.node("s", "a", "False", minutes{10}); }},
        {"unknown is as bad", 1, 0, [](World& w) { w.node("s", "a", "Unknown", minutes{10}); }},
        {"one of two", 1, 0, [](World& w) { w.node("s", "a", "False", minutes{10}).healthy(1, "a"); }},
        {"one of four", 1, 0, [](World& w) { w.node("s", "a", "False", minutes{10}).healthy(3, "a"); }},
        {"both of two", 0, 2,
         [](World& w) { w.node("s", "a", "False", minutes{10}).node("t", "a", "False", minutes{11}); }},
        {"the second has only just fallen ill", 0, 1,
         [](World& w) { w.node("s", "a", "False", minutes{10}).node("t", "a", "False", seconds{1}); }},
        {"two of five", 0, 2,
         [](World& w) {
             w.node("s", "a", "False", minutes{10}).node("t", "a", "False", minutes{10}).healthy(3, "a");
         }},
        {"two of six", 2, 0,
         [](World& w) {
             w.node("s", "a", "False", minutes{10}).node("t", "a", "False", minutes{10}).healthy(4, "a");
         }},
        {"another pool is another matter", 1, 0,
         [](World& w) {
             w.node("s", "a", "False", minutes{10}).node("t", "b", "False", minutes{1}).healthy(1, "b");
         }},
        {"one that is going already counts as sick", 0, 1,
         [](World& w) { w.node("s", "a", "False", minutes{10}).node("t", "a", "False", minutes{11}, true); }},
        {"without a pool the whole cluster counts", 1, 0,
         [](World& w) { w.node("s", "", "False", minutes{10}).healthy(3, "a"); }},
        {"and may be ill", 0, 1,
         [](World& w) { w.node("s", "", "False", minutes{10}).node("t", "a", "False", seconds{1}); }},
        {"a condition that no policy names", 0, 0,
         [](World& w) { w.node("s", "a", "Strange", minutes{600}); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        const LegacyRepairPlan plan = w.plan();
        EXPECT_EQ(plan.repairs.size(), c.repairs) << c.name;
        EXPECT_EQ(plan.blocked.size(), c.blocked) << c.name;
    }
}

TEST(PlanLegacyRepair, s4_8_says_what_it_goes_by_and_when_to_look_again) {
    World w;
    w.node("s", "a", "False", minutes{10}).node("t", "b", "Unknown", minutes{4}).healthy(3, "a");
    const LegacyRepairPlan plan = w.plan();
    ASSERT_EQ(plan.repairs.size(), 1u);
    EXPECT_EQ(plan.repairs[0].claim, "s");
    EXPECT_EQ(plan.repairs[0].node, "n-s");
    EXPECT_EQ(plan.repairs[0].condition, "Ready");
    EXPECT_EQ(plan.repairs[0].evidence,
              "condition Ready has been False (Because) since " + format_rfc3339(kNow - minutes{10}) +
                  ", for longer than 10m0s; 0 of the 3 other nodes of NodePool a are sick");
    EXPECT_EQ(plan.look_again_at, kNow + minutes{6});
    EXPECT_TRUE(plan_legacy_repair(w.cluster, {}, kNow).repairs.empty());
}

TEST(PlanLegacyRepair, s4_8_goes_by_the_condition_that_is_furthest) {
    World w;
    w.node("s", "a", "False", minutes{5});
    api::Node node = w.cluster.find_node("n-s")->node;
    node.conditions.push_back({"Disk", "True", "Full", "", kNow - minutes{31}, 0});
    w.cluster.upsert(node);
    const LegacyRepairPlan plan = w.plan();
    ASSERT_EQ(plan.repairs.size(), 1u);
    EXPECT_EQ(plan.repairs[0].condition, "Disk");
    EXPECT_THAT(plan.repairs[0].evidence, HasSubstr("condition Disk has been True (Full)"));
}

TEST(PlanLegacyRepair, s4_8_heeds_reasons_and_leaves_reboots_out) {
    World w;
    w.node("s", "a", "True", minutes{600});
    api::Node node = w.cluster.find_node("n-s")->node;
    node.conditions.push_back({"Disk", "True", "Slow", "", kNow - minutes{600}, 0});
    w.cluster.upsert(node);
    EXPECT_TRUE(w.plan().repairs.empty());
    node.conditions.back().reason = "FullUp";
    w.cluster.upsert(node);
    EXPECT_EQ(w.plan().repairs.size(), 1u);
}

}  // namespace
}  // namespace joiner::plan
