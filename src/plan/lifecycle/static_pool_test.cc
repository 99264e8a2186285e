#include "plan/lifecycle/static_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime kNow{std::chrono::seconds{1'800'000'000}};

// A static pool "p", and claims a test gives it.
struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    api::NodePool pool;
    model::ClaimNames leaving;
    std::int64_t creating = 0;
    std::map<std::string, WallTime, std::less<>> pod_events;
    model::PlannedPods planned;
    std::vector<rules::InstanceType> types;

    explicit World(std::int64_t replicas) {
        pool.meta.name = "p";
        pool.replicas = replicas;
    }
    World& limit(std::int64_t nodes) {
        pool.limits = api::ResourceMap{{"nodes", Quantity::of_units(nodes)}};
        return *this;
    }
    struct Edit {
        bool is_launched = true;
        bool is_deleted = false;
        Duration age = hours{1};
        bool node_must_stay = false;
        Duration drifted_for{-1};
        std::string_view reserved_in = {};  // A zone.
    };
    World& claim(const std::string& name, Edit edit) {
        api::NodeClaim claim;
        claim.meta.name = name;
        claim.meta.created = kNow - edit.age;
        claim.meta.labels[std::string(api::kNodePoolLabel)] = "p";
        if (edit.is_deleted) claim.meta.deleted = kNow;
        if (!edit.reserved_in.empty()) {
            claim.meta.labels[std::string(api::kInstanceTypeLabel)] = "small";
            claim.meta.labels[std::string(api::kZoneLabel)] = edit.reserved_in;
            claim.meta.labels[std::string(api::kCapacityTypeLabel)] = api::kReserved;
        }
        if (edit.drifted_for.count() >= 0)
            claim.conditions.push_back(
                {"Drifted", "True", "NodePoolDrifted", "", kNow - edit.drifted_for, 0});
        if (edit.is_launched) {
            claim.provider_id = "id-" + name;
            for (const char* type : {"Launched", "Registered", "Initialized"})
                claim.conditions.push_back({type, "True", type, "", claim.meta.created, 0});
            api::Node node;
            node.meta.name = "n-" + name;
            node.provider_id = claim.provider_id;
            node.conditions = {{"Ready", "True", "", "", kNow, 0}};
            if (edit.node_must_stay)
                node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
            cluster.upsert(node);
        }
        cluster.upsert(claim);
        return *this;
    }
    World& claim(const std::string& name) { return claim(name, {}); }
    World& pod(const std::string& name, const std::string& on, const std::string& owner = "ReplicaSet",
               const std::string& do_not_disrupt = {}) {
        api::Pod pod;
        pod.meta.name = name;
        pod.meta.ns = "ns";
        pod.meta.uid = name;
        pod.meta.owners = {{"v1", owner, "o", "u", true, false}};
        if (!do_not_disrupt.empty())
            pod.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = do_not_disrupt;
        pod.spec.node_name = "n-" + on;
        pod.status.phase = "Running";
        cluster.upsert(pod);
        return *this;
    }
    StaticPoolPlan plan() { return plan_static_pool({cluster, pool, leaving, creating}, kNow); }
    StaticDrift drift() {
        cluster.upsert(pool);
        const DisruptionFacts facts{
            cluster, planned, leaving, pod_events, [this](const api::NodePool&) {
                return std::make_shared<const std::vector<rules::InstanceType>>(types);
            }};
        return plan_static_drift(facts, {cluster, pool, leaving, creating}, kNow);
    }
    std::vector<std::string> drifted() {
        std::vector<std::string> out;
        for (const Candidate& candidate : drift().candidates) out.push_back(candidate.claim);
        return out;
    }
};

TEST(StaticPool, s4_9_launches_what_is_missing_within_its_limit) {
    const struct {
        const char* name;
        std::int64_t launches;
        bool is_short;
        std::function<void(World&)> edit;
    } cases[] = {
        {"all are missing", 3, false, [](World&) {}},
        {"one is there", 2, false, [](World& w) { w.claim("a"); }},
        {"all are there", 0, false, [](World& w) { w.claim("a").claim("b").claim("c"); }},
        {"those asked for count", 1, false,
         [](World& w) {
             w.claim("a");
             w.creating = 1;
         }},
        {"those on their way out do not", 2, false,
         [](World& w) { w.claim("a").claim("b", {.is_deleted = true}); }},
        {"those a command replaces are not missed", 0, false,
         [](World& w) {
             w.claim("a").claim("b").claim("c");
             w.leaving = {"c"};
         }},
        {"the limit", 2, true, [](World& w) { w.limit(2); }},
        {"the limit counts those going", 1, true,
         [](World& w) { w.limit(3).claim("a").claim("b", {.is_deleted = true}); }},
        {"the limit was passed", 0, true,
         [](World& w) { w.limit(1).claim("a", {.is_deleted = true}).claim("b", {.is_deleted = true}); }},
    };
    for (const auto& c : cases) {
        World w(3);
        c.edit(w);
        const StaticPoolPlan plan = w.plan();
        EXPECT_EQ(plan.launches, c.launches) << c.name;
        EXPECT_EQ(!plan.shortage.empty(), c.is_short) << c.name << ": " << plan.shortage;
        EXPECT_THAT(plan.remove, IsEmpty()) << c.name;
    }
}

TEST(StaticPool, s4_9_removes_the_cheapest_to_lose_first) {
    World w(0);
    w.claim("a-busy", {.age = hours{1}}).claim("b-empty").claim("c-young", {.is_launched = false});
    w.claim("d-stays", {.node_must_stay = true}).claim("e-daemon").claim("f-old", {.age = hours{700}});
    w.claim("g-held");
    w.pod("1", "a-busy")
        .pod("2", "f-old")
        .pod("3", "e-daemon", "DaemonSet")
        .pod("4", "g-held", "ReplicaSet", "true");
    EXPECT_THAT(w.plan().remove,
                ElementsAre("c-young", "b-empty", "e-daemon", "f-old", "a-busy", "d-stays", "g-held"));
    w.pool.replicas = 5;
    EXPECT_THAT(w.plan().remove, ElementsAre("c-young", "b-empty"));
    w.leaving = {"a-busy", "b-empty"};
    EXPECT_THAT(w.plan().remove, IsEmpty()) << "five stay";
}

TEST(StaticDrift, s4_9_replaces_the_emptiest_and_longest_drifted_first) {
    World w(3);
    w.claim("a", {.drifted_for = minutes{1}}).claim("b", {.drifted_for = minutes{9}}).claim("c");
    EXPECT_THAT(w.drifted(), ElementsAre("b", "a"));
    w.pod("1", "b");
    EXPECT_THAT(w.drifted(), ElementsAre("a", "b"));
    w.limit(3);
    EXPECT_THAT(w.drifted(), ElementsAre("a", "b")) << "who may go first where the limit leaves no room";
    EXPECT_EQ(w.drift().obstacle, kStaticAtLimit);
    EXPECT_THAT(obstacle_in_words(kStaticAtLimit, w.pool), HasSubstr("limits.nodes (3)"));
    w.limit(4);
    EXPECT_THAT(w.drifted(), ElementsAre("a", "b"));
    EXPECT_EQ(w.drift().obstacle, "");
    w.pool.replicas = 2;
    EXPECT_THAT(w.drifted(), IsEmpty()) << "what is too much goes first";
}

// Reserved machines of type "small" in zone a, and no others.
std::vector<rules::InstanceType> reserved(int machines) {
    const auto one = [](std::string_view key, std::string_view value) {
        return rules::Requirement::in(std::string(key), {std::string(value)});
    };
    rules::InstanceType type;
    type.name = "small";
    rules::Offering offering;
    offering.requirements.add(one(api::kZoneLabel, "a"));
    offering.requirements.add(one(api::kCapacityTypeLabel, api::kReserved));
    offering.reservation_capacity = machines;
    type.offerings = {offering};
    return {type};
}

TEST(StaticDrift, s5_6_where_reservations_are_full_only_who_holds_one_makes_room) {
    World w(2);
    w.types = reserved(1);
    w.claim("held", {.drifted_for = minutes{1}, .reserved_in = "a"})
        .claim("other", {.drifted_for = minutes{9}});
    EXPECT_THAT(w.drifted(), ElementsAre("held"));
    EXPECT_EQ(w.drift().obstacle, kNoReservedCapacity);
    ASSERT_EQ(w.drift().in_vain.size(), 1u);
    EXPECT_EQ(w.drift().in_vain.front().claim, "other");
    w.limit(2);
    EXPECT_EQ(w.drift().obstacle, kNoReservedCapacity) << "said before the limit";
    w.pool.limits.reset();
    w.types = reserved(2);
    EXPECT_THAT(w.drifted(), ElementsAre("other", "held"));
    EXPECT_EQ(w.drift().obstacle, "");
}

}  // namespace
}  // namespace joiner::plan
