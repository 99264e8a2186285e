#include "plan/disrupt/repair.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

const std::vector<rules::RepairPolicy> kPolicies = {
    {.condition = "Ready", .status = "False", .toleration = minutes{10}},
    {.condition = "Disk",
     .status = "True",
     .reason_regex = ".*",
     .toleration = minutes{1},
     .termination_grace = minutes{5},
     .priority = 50},
    {.condition = "Gpu",
     .status = "False",
     .reason_regex = ".*",
     .toleration = minutes{1},
     .action = rules::RepairAction::kReboot},
};

// Nodes "n-0" and so on of claims "c-0" and so on, all well.
struct World : samples::DisruptionWorld {
    RebootHistory reboots;
    std::vector<api::NodeClaim> claims;
    std::vector<api::Node> nodes;

    explicit World(int count = 1) {
        put_pool();
        for (int i = 0; i < count; ++i) {
            samples::UpNode up =
                samples::up_node(fmt::format("c-{}", i), fmt::format("n-{}", i), kNow - hours{9});
            up.claim.conditions.push_back({"Registered", "True", "", "", kNow - hours{9}, 0});
            up.node.meta.labels[std::string(api::kNodePoolLabel)] = "default";
            claims.push_back(up.claim);
            nodes.push_back(up.node);
        }
    }
    void fall_ill(std::size_t i, const std::string& condition, const std::string& status, Duration since) {
        std::erase_if(nodes[i].conditions, [&](const auto& c) { return c.type == condition; });
        nodes[i].conditions.push_back({condition, status, "Because", "", kNow - since, 0});
    }
    RepairPlan plan() {
        for (const api::NodeClaim& claim : claims) cluster.upsert(claim);
        for (const api::Node& node : nodes) cluster.upsert(node);
        return plan_repair(facts(), policies, reboots, kNow);
    }
    std::string objection(std::size_t i) {
        (void)plan();
        const auto why = repair_objection(facts(), policies, *cluster.find_claim(claims[i].meta.name), kNow);
        return why ? in_words(*why) : "";
    }
    // Of the class that claims without one name.
    static RepairPoliciesByClass policies_of_all() {
        RepairPoliciesByClass out;
        out.add(rules::NodeClassKinds(std::vector<rules::NodeClassKind>(1)),
                *rules::RepairPolicies::make(kPolicies));
        return out;
    }
    RepairPoliciesByClass policies = policies_of_all();
};

std::vector<std::string> names(const std::vector<SickNode>& sick) {
    std::vector<std::string> out;
    for (const SickNode& one : sick) out.push_back(one.candidate.node);
    return out;
}

TEST(MostSick, s4_8_is_a_fifth_rounded_up) {
    const std::int64_t expected[] = {0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3};
    for (std::size_t nodes = 0; nodes < std::size(expected); ++nodes)
        EXPECT_EQ(most_sick(static_cast<std::int64_t>(nodes)), expected[nodes]) << nodes;
}

TEST(PlanRepair, s4_8_repairs_who_is_sick_for_too_long) {
    World w(2);
    EXPECT_THAT(w.plan().sick, IsEmpty());
    w.fall_ill(0, "Ready", "False", minutes{9});
    EXPECT_THAT(w.plan().sick, IsEmpty());
    EXPECT_EQ(w.plan().look_again_at, kNow + minutes{1});
    w.fall_ill(0, "Ready", "False", minutes{10});
    const RepairPlan plan = w.plan();
    ASSERT_THAT(names(plan.sick), ElementsAre("n-0"));
    EXPECT_EQ(plan.sick[0].evidence,
              "condition Ready has been False (Because) since " + format_rfc3339(kNow - minutes{10}) +
                  ", for longer than 10m0s; 0 of the 1 other nodes of NodePool default are sick");
    EXPECT_EQ(plan.sick[0].drain_bound, std::nullopt);
}

TEST(PlanRepair, s4_8_who_has_waited_longest_for_most_goes_first) {
    World w(10);
    w.fall_ill(3, "Ready", "False", minutes{20});
    w.fall_ill(5, "Disk", "True", minutes{1});
    EXPECT_THAT(names(w.plan().sick), ElementsAre("n-5", "n-3"));
    w.fall_ill(3, "Ready", "False", minutes{45});
    EXPECT_THAT(names(w.plan().sick), ElementsAre("n-3", "n-5")) << "half an hour is worth a rank";
    World alike(10);
    for (const std::size_t i : {7u, 2u}) alike.fall_ill(i, "Ready", "False", minutes{20});
    EXPECT_THAT(names(alike.plan().sick), ElementsAre("n-2", "n-7"));
    alike.cluster.upsert(samples::pod_on("n-2", "a"));
    EXPECT_THAT(names(alike.plan().sick), ElementsAre("n-7", "n-2")) << "it costs less";
}

TEST(PlanRepair, s4_8_more_than_a_fifth_of_the_pool_is_nobodys_fault) {
    World w(6);
    w.fall_ill(0, "Ready", "False", minutes{10});
    w.fall_ill(1, "Ready", "False", seconds{1});
    EXPECT_THAT(w.plan().sick, SizeIs(1)) << "two of six";
    w.fall_ill(2, "Disk", "True", seconds{1});
    const RepairPlan plan = w.plan();
    EXPECT_THAT(plan.sick, IsEmpty()) << "whatever is wrong with them, and however lately";
    ASSERT_THAT(plan.too_many, SizeIs(1));
    EXPECT_THAT(in_words(plan.too_many[0].reasons), HasSubstr("2 of the 5 other nodes"));
}

TEST(PlanRepair, s4_8_says_what_speaks_against_it) {
    const struct {
        const char* name;
        std::string says;  // Part of the reason; empty: it is repaired. "-": passed over in silence.
        std::function<void(World&)> edit;
    } cases[] = {
        {"nothing", "", [](World&) {}},
        {"do-not-disrupt on the node does not", "",
         [](World& w) { w.nodes[0].meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true"; }},
        {"do-not-repair does", "annotated karpenter.sh/do-not-repair=true",
         [](World& w) { w.nodes[0].meta.annotations[std::string(api::kDoNotRepairAnnotation)] = "true"; }},
        {"and only true", "",
         [](World& w) { w.nodes[0].meta.annotations[std::string(api::kDoNotRepairAnnotation)] = "yes"; }},
        {"a pod that must stay", "a terminationGracePeriod would let repair",
         [](World& w) {
             api::Pod pod = samples::pod_on("n-0", "a");
             pod.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             w.cluster.upsert(pod);
         }},
        {"unless the claim bounds its drain", "",
         [](World& w) {
             api::Pod pod = samples::pod_on("n-0", "a");
             pod.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             w.cluster.upsert(pod);
             w.claims[0].termination_grace_period = hours{1};
         }},
        {"or a policy does", "",
         [](World& w) {
             api::Pod pod = samples::pod_on("n-0", "a");
             pod.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
             w.cluster.upsert(pod);
             w.fall_ill(0, "Disk", "True", minutes{1});
         }},
        {"do-not-repair holds all the same", "do-not-repair",
         [](World& w) {
             w.nodes[0].meta.annotations[std::string(api::kDoNotRepairAnnotation)] = "true";
             w.fall_ill(0, "Disk", "True", minutes{1});
         }},
        {"a claim of its own", "repair is for nodes of a NodePool",
         [](World& w) { w.claims[0].meta.labels.clear(); }},
        {"one that never came up is repaired", "",
         [](World& w) {
             std::erase_if(w.claims[0].conditions, [](const auto& c) { return c.type == "Initialized"; });
         }},
        {"one that has not registered is not", "-",
         [](World& w) {
             std::erase_if(w.claims[0].conditions, [](const auto& c) { return c.type == "Registered"; });
         }},
        {"pods are about to come", "-", [](World& w) { w.planned["uid"] = "c-0"; }},
        {"pods are about to come to one that never came up", "",
         [](World& w) {
             w.planned["uid"] = "c-0";
             std::erase_if(w.claims[0].conditions, [](const auto& c) { return c.type == "Initialized"; });
         }},
        {"it is going", "-", [](World& w) { w.claims[0].meta.deleted = kNow; }},
        {"it is being rebooted", "-",
         [](World& w) { w.claims[0].conditions.push_back({"Rebooting", "True", "", "", kNow, 0}); }},
        {"it was rebooted a moment ago", "-",
         [](World& w) { w.claims[0].conditions.push_back({"Rebooting", "False", "", "", kNow, 0}); }},
    };
    for (const auto& c : cases) {
        World w(2);
        w.fall_ill(0, "Ready", "False", minutes{10});
        c.edit(w);
        const RepairPlan plan = w.plan();
        if (c.says.empty()) {
            EXPECT_THAT(plan.sick, SizeIs(1)) << c.name;
            EXPECT_THAT(plan.blocked, IsEmpty()) << c.name;
        } else if (c.says == "-") {
            EXPECT_TRUE(plan.sick.empty() && plan.blocked.empty()) << c.name;
        } else {
            EXPECT_THAT(plan.sick, IsEmpty()) << c.name;
            ASSERT_THAT(plan.blocked, SizeIs(1)) << c.name;
            EXPECT_THAT(in_words(plan.blocked[0].reasons), HasSubstr(c.says)) << c.name;
        }
    }
}

TEST(PlanRepair, s4_8_the_drain_is_bounded_by_the_shorter_of_policy_and_claim) {
    World w(2);
    w.fall_ill(0, "Disk", "True", minutes{1});
    EXPECT_EQ(w.plan().sick.at(0).drain_bound, minutes{5});
    w.claims[0].termination_grace_period = minutes{2};
    EXPECT_EQ(w.plan().sick.at(0).drain_bound, minutes{2});
    w.claims[0].termination_grace_period = hours{2};
    EXPECT_EQ(w.plan().sick.at(0).drain_bound, minutes{5});
}

TEST(PlanRepair, s4_8_a_machine_is_rebooted_twice_a_day_and_then_replaced) {
    World w(2);
    w.fall_ill(0, "Gpu", "False", minutes{1});
    const auto action = [&] { return w.plan().sick.at(0).verdict.action; };
    EXPECT_EQ(action(), rules::RepairAction::kReboot);
    w.reboots.note("c-0", kNow - hours{25});
    w.reboots.note("c-0", kNow - hours{2});
    EXPECT_EQ(action(), rules::RepairAction::kReboot);
    w.reboots.note("c-0", kNow - hours{1});
    EXPECT_EQ(action(), rules::RepairAction::kReplace);
}

TEST(PlanRepair, s4_8_a_repair_that_was_begun_ends_where_its_reason_does) {
    World w(2);
    w.fall_ill(0, "Ready", "False", minutes{10});
    EXPECT_EQ(w.objection(0), "");
    w.nodes[0].meta.annotations[std::string(api::kDoNotRepairAnnotation)] = "true";
    EXPECT_THAT(w.objection(0), HasSubstr("do-not-repair"));
    w.fall_ill(0, "Ready", "True", minutes{0});
    EXPECT_EQ(w.objection(0), "the node is well again");
}

}  // namespace
}  // namespace joiner::plan
