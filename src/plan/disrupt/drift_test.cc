#include "plan/disrupt/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Nodes of the pool "default", each named as its claim.
struct World : samples::DisruptionWorld {
    samples::UpNode drifted(const std::string& name, Duration ago) {
        samples::UpNode out = samples::up_node(name, name, kNow - hours{9});
        out.claim.conditions.push_back({"Drifted", "True", "NodePoolDrifted", "", kNow - ago, 0});
        return out;
    }
    World& add(const samples::UpNode& up) {
        put(up);
        return *this;
    }
    World& pod(const std::string& node) {
        cluster.upsert(samples::pod_on(node, "on-" + node));
        return *this;
    }
    DriftPlan plan() {
        put_pool();
        return plan_drift(facts(), kNow);
    }
    std::vector<std::string> names() {
        std::vector<std::string> out;
        for (const Candidate& one : plan().candidates) out.push_back(one.claim);
        return out;
    }
};

TEST(Drift, s5_6_nodes_without_pods_come_first_then_those_drifted_for_longest) {
    World w;
    w.add(w.drifted("a", minutes{1})).pod("a");
    w.add(w.drifted("b", minutes{9})).pod("b");
    w.add(w.drifted("c", minutes{2}));
    w.add(w.drifted("d", minutes{3}));
    EXPECT_THAT(w.names(), ElementsAre("d", "c", "b", "a"));
}

TEST(Drift, s5_6_only_what_says_so_and_belongs_to_a_dynamic_pool) {
    World w;
    w.add(samples::up_node("a", "a", kNow - hours{9}));
    samples::UpNode unsure = w.drifted("b", minutes{1});
    unsure.claim.conditions.back().status = "Unknown";
    w.add(unsure);
    EXPECT_THAT(w.names(), IsEmpty());
    w.add(w.drifted("c", minutes{1}));
    EXPECT_THAT(w.names(), ElementsAre("c"));
    w.pool.replicas = 3;
    EXPECT_THAT(w.names(), IsEmpty());
}

// Consolidation would leave it at rest.
TEST(Drift, s5_6_waits_for_no_idle_time) {
    World w;
    w.pool.consolidate_after = {};
    w.events["a"] = kNow;
    w.add(w.drifted("a", minutes{1})).pod("a");
    EXPECT_THAT(w.names(), ElementsAre("a"));
}

TEST(Drift, s5_6_a_node_that_may_not_go_is_named) {
    World w;
    samples::UpNode kept = w.drifted("a", minutes{9});
    kept.node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
    w.add(kept).add(w.drifted("b", minutes{1}));
    EXPECT_THAT(w.names(), ElementsAre("b"));
    ASSERT_THAT(w.plan().blocked, SizeIs(1));
    EXPECT_EQ(w.plan().blocked[0].node, "a");
    EXPECT_THAT(in_words(w.plan().blocked[0].reasons), HasSubstr("do-not-disrupt"));
}

}  // namespace
}  // namespace joiner::plan
