// Surge before evict: a pod that asks for it has its replacement Ready before it is evicted. The whole
// controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;

class SurgeRig : public VirtualRig {
  protected:
    static std::string asking(const std::string& name, int replicas) {
        return deployment(name, replicas, "1", {.pod_annotations = "joiner.sh/surge-before-evict: \"true\""});
    }
    void bring_up(int replicas) {
        apply(kPool);
        start();
        apply(asking("web", replicas));
        ASSERT_TRUE(runs(static_cast<std::size_t>(replicas), minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
    }
    std::size_t ready() const {
        std::size_t out = 0;
        for (const std::string& text : world_.list("pods", "default")) {
            const api::Pod pod = *api::decode_pod(text);
            const api::Condition* condition = api::find_condition(pod.status.conditions, "Ready");
            if (!pod.meta.deleted && condition != nullptr && condition->status == "True") ++out;
        }
        return out;
    }
    bool is_gone(const std::string& node) const { return !world_.get("nodes", "", node); }
    // The fewest Ready pods seen until the node is gone.
    std::size_t fewest_until_gone(const std::string& node, Duration limit) {
        std::size_t fewest = ready();
        EXPECT_TRUE(until(
            [&] {
                fewest = std::min(fewest, ready());
                return is_gone(node);
            },
            limit));
        return fewest;
    }
    // No pod is left without an owner, and there are as many as wanted.
    bool is_settled(std::size_t wanted) {
        return until(
            [&] {
                const std::vector<std::string> pods = world_.list("pods", "default");
                return pods.size() == wanted && ready() == wanted &&
                       std::all_of(pods.begin(), pods.end(), [](const std::string& text) {
                           return api::controller_of(api::decode_pod(text)->meta) != nullptr;
                       });
            },
            minutes{2});
    }
};

TEST_F(SurgeRig, a_single_replica_is_never_missed) {
    bring_up(1);
    const std::string node = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_EQ(fewest_until_gone(node, minutes{3}), 1u);
    EXPECT_TRUE(is_settled(1));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(said("SurgeBeforeEvict"), HasSubstr("is to replace it"));
}

TEST_F(SurgeRig, a_budget_that_allows_no_eviction_is_met_by_the_replacement) {
    bring_up(1);
    apply(disruption_budget("web", "web", "minAvailable: 1"));
    world_.run_for(seconds{1});
    const std::string node = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_EQ(fewest_until_gone(node, minutes{3}), 1u);
    EXPECT_TRUE(is_settled(1));
}

TEST_F(SurgeRig, several_replicas_of_one_node_are_replaced_together) {
    bring_up(6);
    const std::string node = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_EQ(fewest_until_gone(node, minutes{3}), 6u);
    EXPECT_TRUE(is_settled(6));
}

TEST_F(SurgeRig, a_deployment_scaled_to_nothing_holds_no_node) {
    bring_up(1);
    const std::string node = nodes().front().meta.name;
    apply(node_class("default", "nodeRegistrationDelay: 24h"));
    ASSERT_TRUE(world_.remove("nodes", "", node));
    world_.run_for(minutes{1});
    EXPECT_FALSE(is_gone(node)) << "its replacement does not come up";
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    EXPECT_TRUE(until([&] { return is_gone(node); }, minutes{1}));
    EXPECT_TRUE(until([&] { return world_.count("pods", "default") == 0; }, minutes{1}));
}

TEST_F(SurgeRig, a_replacement_that_does_not_come_holds_the_node_ten_minutes) {
    bring_up(1);
    const std::string node = nodes().front().meta.name;
    apply(node_class("default", "nodeRegistrationDelay: 24h"));
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(until([&] { return is_gone(node); }, minutes{9}));
    EXPECT_EQ(ready(), 1u);
    EXPECT_TRUE(until([&] { return is_gone(node); }, minutes{2}));
    EXPECT_THAT(said("SurgeBeforeEvict"), HasSubstr("within 10m"));
}

TEST_F(SurgeRig, where_a_service_selects_on_the_hash_the_pod_is_evicted_as_any_other) {
    bring_up(1);
    const std::string node = nodes().front().meta.name;
    apply(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, "
        "spec: {ports: [{port: 80}], selector: {app: web, pod-template-hash: abc}}}");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_TRUE(until([&] { return is_gone(node); }, minutes{1}));
    EXPECT_THAT(said("SurgeBeforeEvict"), HasSubstr("a Service selects on pod-template-hash"));
    EXPECT_TRUE(is_settled(1));
}

TEST_F(SurgeRig, a_stateful_sets_pod_is_evicted_as_any_other) {
    apply(kPool);
    start();
    apply(R"(
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 1
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}, annotations: {joiner.sh/surge-before-evict: "true"}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]
)");
    ASSERT_TRUE(runs(1, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    const std::string node = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_TRUE(until([&] { return is_gone(node); }, minutes{1}));
    EXPECT_THAT(said("SurgeBeforeEvict"), HasSubstr("only pods of a Deployment's ReplicaSet"));
}

TEST_F(SurgeRig, what_was_begun_is_gone_on_with_where_the_node_stays) {
    bring_up(1);
    const api::Pod old = *api::decode_pod(world_.list("pods", "default").front());
    const std::string note = fmt::format("{}/{}/{}", api::controller_of(old.meta)->name,
                                         api::find_or_empty(old.meta.labels, api::kPodTemplateHashLabel),
                                         format_rfc3339(world_.loop().now()));
    ASSERT_TRUE(
        world_.patch("pods", "default", old.meta.name,
                     fmt::format(R"({{"metadata":{{"labels":{{"{}":null}},"annotations":{{"{}":"{}"}}}}}})",
                                 api::kPodTemplateHashLabel, api::kSurgingAnnotation, note)));
    std::size_t fewest = 1;
    EXPECT_TRUE(until(
        [&] {
            fewest = std::min(fewest, ready());
            return !world_.get("pods", "default", old.meta.name);
        },
        minutes{1}));
    EXPECT_EQ(fewest, 1u);
    EXPECT_TRUE(is_settled(1));
}

class KilledWhileSurging : public SurgeRig, public testing::WithParamInterface<int> {};

TEST_P(KilledWhileSurging, at_any_moment_the_replacement_still_comes_first) {
    bring_up(1);
    const std::string node = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", node));
    world_.run_for(std::chrono::milliseconds{400} * GetParam());
    kill();
    EXPECT_GE(ready(), 1u);
    world_.run_for(seconds{2});
    start();
    EXPECT_GE(fewest_until_gone(node, minutes{5}), 1u);
    EXPECT_TRUE(is_settled(1));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}
INSTANTIATE_TEST_SUITE_P(Moments, KilledWhileSurging, testing::Range(0, 16));

}  // namespace
}  // namespace joiner
