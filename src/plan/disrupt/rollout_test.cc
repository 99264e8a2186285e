#include "plan/disrupt/rollout.h"

#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();
const WallTime kChange = kNow - minutes{30};

struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    api::NodePool pool;

    World() {
        pool.meta.name = "default";
        pool.meta.annotations = {{std::string(api::kNodePoolHashAnnotation), "new"}};
        cluster.upsert(pool);
    }
    api::NodeClaim claim(const std::string& name, const std::string& hash, WallTime created) {
        api::NodeClaim out;
        out.meta.name = name;
        out.meta.created = created;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
        out.meta.annotations = {{std::string(api::kNodePoolHashAnnotation), hash}};
        out.provider_id = "p://" + name;
        out.conditions = {{"Initialized", "True", "", "", created, 0}};
        return out;
    }
    api::NodeClaim old_claim(const std::string& name, const std::string& reason = "NodePoolDrifted") {
        api::NodeClaim out = claim(name, "old", kChange - hours{5});
        out.conditions.push_back({"Drifted", "True", reason, "", kChange, 0});
        return out;
    }
    // Made after the change, with a node and a pod that runs there; `edit` may spoil it.
    struct New {
        api::NodeClaim claim;
        api::Node node;
        api::Pod pod;
    };
    void add_new(const std::string& name, const std::function<void(New&)>& edit = {}) {
        New out{claim(name, "new", kChange + minutes{5}), {}, {}};
        out.node.meta.name = name;
        out.node.provider_id = out.claim.provider_id;
        out.node.conditions = {{"Ready", "True", "", "", kNow, 0}};
        out.pod.meta.name = name;
        out.pod.meta.ns = "ns";
        out.pod.meta.uid = name;
        out.pod.spec.node_name = name;
        out.pod.status.phase = "Running";
        out.pod.status.conditions = {{"Ready", "True", "", "", kNow, 0}};
        if (edit) edit(out);
        cluster.upsert(out.claim);
        cluster.upsert(out.node);
        cluster.upsert(out.pod);
    }
};

TEST(Rollout, begins_with_one_node) {
    World w;
    for (const char* name : {"a", "b", "c"}) w.cluster.upsert(w.old_claim(name));
    Rollout rollout(w.cluster, {});
    EXPECT_TRUE(rollout.admit(w.old_claim("a")));
    EXPECT_FALSE(rollout.admit(w.old_claim("b")));
}

TEST(Rollout, waits_for_the_nodes_that_are_moving) {
    World w;
    w.cluster.upsert(w.old_claim("a"));
    Rollout rollout(w.cluster, {{"default", 1}});
    EXPECT_FALSE(rollout.admit(w.old_claim("a")));
}

TEST(Rollout, grows_with_the_nodes_that_have_taken_the_change_well) {
    World w;
    for (const char* name : {"a", "b", "c"}) w.cluster.upsert(w.old_claim(name));
    w.add_new("x");
    w.add_new("y");
    Rollout rollout(w.cluster, {});
    EXPECT_TRUE(rollout.admit(w.old_claim("a")));
    EXPECT_TRUE(rollout.admit(w.old_claim("b")));
    EXPECT_FALSE(rollout.admit(w.old_claim("c")));
}

TEST(Rollout, counts_only_nodes_that_are_new_and_well) {
    using New = World::New;
    const struct {
        const char* name;
        std::function<void(New&)> edit;
    } kCases[] = {
        {"its pod is not ready", [](New& n) { n.pod.status.conditions[0].status = "False"; }},
        {"its node is not Ready", [](New& n) { n.node.conditions[0].status = "Unknown"; }},
        {"it is not initialised", [](New& n) { n.claim.conditions.clear(); }},
        {"it is going", [](New& n) { n.claim.meta.deleted = kNow; }},
        {"it was there before the change", [](New& n) { n.claim.meta.created = kChange - minutes{1}; }},
        {"it was made of an older pool",
         [](New& n) { n.claim.meta.annotations[std::string(api::kNodePoolHashAnnotation)] = "old"; }},
        {"it is another pool's",
         [](New& n) { n.claim.meta.labels[std::string(api::kNodePoolLabel)] = "other"; }},
    };
    for (const auto& [name, edit] : kCases) {
        World w;
        w.cluster.upsert(w.old_claim("a"));
        w.add_new("x", edit);
        w.add_new("y");
        w.add_new("z");
        EXPECT_EQ(Rollout(w.cluster, {}).wave(w.pool, "NodePoolDrifted"), 2) << name;
    }
}

TEST(Rollout, of_another_reason_begins_anew) {
    World w;
    w.cluster.upsert(w.old_claim("a"));
    api::NodeClaim late = w.old_claim("b", "ImageDrift");
    late.conditions.back().last_transition = kNow - minutes{1};
    w.cluster.upsert(late);
    w.add_new("x");
    w.add_new("y");
    Rollout rollout(w.cluster, {});
    EXPECT_EQ(rollout.wave(w.pool, "NodePoolDrifted"), 2);
    EXPECT_EQ(rollout.wave(w.pool, "ImageDrift"), 1);
}

}  // namespace
}  // namespace joiner::plan
