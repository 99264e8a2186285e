#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "plan/disrupt/repack.h"

namespace joiner::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Nodes n0, n1, ... of the pool "default", each with a pod of one core of its four.
struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    std::shared_ptr<const std::vector<rules::InstanceType>> types =
        std::make_shared<const std::vector<rules::InstanceType>>();
    std::vector<Candidate> candidates;

    explicit World(const std::string& policy = "WhenEmptyOrUnderutilized") {
        api::NodePool pool;
        pool.meta.name = "default";
        pool.consolidation_policy = policy;
        cluster.upsert(pool);
    }
    api::Node node() {
        api::Node out;
        out.meta.name = "n" + std::to_string(cluster.nodes().size());
        out.provider_id = "p://" + out.meta.name;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
        out.capacity = out.allocatable = {{"cpu", Quantity::parse("4").value()},
                                          {"pods", Quantity::parse("10").value()}};
        return out;
    }
    void add(const api::Node& node, bool with_pod = true, bool is_broken = false) {
        cluster.upsert(node);
        Candidate candidate;
        candidate.node = node.meta.name;
        candidate.pool = "default";
        candidate.price = rules::Money::from_dollars(0.2);
        if (with_pod) {
            api::Pod pod;
            pod.meta.name = "on-" + node.meta.name;
            pod.meta.ns = "ns";
            pod.meta.uid = pod.meta.name;
            pod.spec.node_name = node.meta.name;
            pod.spec.containers.resize(1);
            pod.spec.containers[0].requests["cpu"] = Quantity::parse("1").value();
            if (is_broken) pod.meta.deleted = WallTime{};
            cluster.upsert(pod);
            candidate.pods.emplace_back("ns", pod.meta.name, pod.meta.uid);
            candidate.disruption_cost = 2;
        }
        candidates.push_back(candidate);
    }
    RepackQuestion question() {
        model::SnapshotInputs inputs;
        inputs.types = [this](const api::NodePool&) { return types; };
        inputs.is_usable = [](const api::NodePool&) { return true; };
        return make_repack_question(cluster, inputs, candidates);
    }
    std::vector<std::string> nodes() {
        std::vector<std::string> out;
        for (const Candidate& one : question().candidates) out.push_back(one.node);
        return out;
    }
};

TEST(RepackQuestion, names_rooms_and_pods_of_each_candidate) {
    World w;
    w.add(w.node());
    w.add(w.node(), false);
    const RepackQuestion question = w.question();
    ASSERT_EQ(question.candidates.size(), 2U);
    EXPECT_EQ(question.snapshot.rooms[question.rooms[0]].name, "n0");
    EXPECT_EQ(question.snapshot.rooms[question.rooms[0]].free.cpu_milli, 3000) << "its pod is still there";
    ASSERT_EQ(question.pods[0].size(), 1U);
    EXPECT_EQ(question.snapshot.pods[question.pods[0][0]].id.full_name(), "ns/on-n0");
    EXPECT_THAT(question.pods[1], IsEmpty());
}

TEST(RepackQuestion, pods_that_wait_are_no_part_of_it) {
    World w;
    w.add(w.node());
    api::Pod waiting;
    waiting.meta.name = "waits";
    waiting.meta.ns = "ns";
    w.cluster.upsert(waiting);
    EXPECT_EQ(w.question().snapshot.pods.size(), 1U);
}

TEST(RepackQuestion, s5_8_a_pool_that_only_gives_up_empty_nodes_keeps_the_others) {
    World w("WhenEmpty");
    w.add(w.node());
    w.add(w.node(), false);
    EXPECT_THAT(w.nodes(), ElementsAre("n1"));
}

TEST(RepackQuestion, s5_7_candidates_that_cannot_be_emptied_are_left_out) {
    World w;
    w.add(w.node());
    w.add(w.node(), true, true);
    api::Node closed = w.node();
    closed.taints = {{std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}}};
    w.add(closed);
    EXPECT_THAT(w.nodes(), ElementsAre("n0"));
}

TEST(RepackQuestion, s5_13_balanced_pools_are_summed) {
    World w("Balanced");
    w.add(w.node());
    w.add(w.node());
    const RepackQuestion question = w.question();
    ASSERT_TRUE(question.balanced.contains("default"));
    EXPECT_EQ(question.balanced.at("default").price, rules::Money::from_dollars(0.4));
    EXPECT_EQ(question.balanced.at("default").disruption, 4);
}

}  // namespace
}  // namespace joiner::plan
