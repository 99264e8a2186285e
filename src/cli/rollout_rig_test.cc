// A rollout moves a pod once: rooms on nodes that are about to go themselves are the last resort. The whole
// controller on virtual time.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

constexpr std::string_view kNewTemplate =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

std::string pool_in_generations(std::string_view disruption, std::string_view spec = {},
                                std::string_view template_spec = {}) {
    return node_class() + node_pool({.requirements = of_types(sim::kFourCpus),
                                     .template_spec = template_spec,
                                     .template_metadata = "labels: {generation: one}",
                                     .spec = spec,
                                     .disruption = disruption});
}
constexpr std::string_view kOneByOne =
    "consolidationPolicy: WhenEmpty, consolidateAfter: 5m, budgets: [{nodes: \"20%\"}]";

class RolloutRig : public VirtualRig {
  protected:
    // Nodes that are half empty each.
    void half_fill(int deployments = 12, const sim::DeploymentSample& sample = {.memory = "256Mi"}) {
        for (int i = 0; i < deployments; ++i) apply(deployment(fmt::format("d{}", i), 4, "440m", sample));
        ASSERT_TRUE(runs(static_cast<std::size_t>(4 * deployments), minutes{2}));
        for (int i = 0; i < deployments; ++i)
            ASSERT_TRUE(world_.scale("Deployment", "default", fmt::format("d{}", i), 2));
        pods_ = static_cast<std::size_t>(2 * deployments);
        ASSERT_TRUE(runs(pods_, minutes{2}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        for (const api::Node& node : nodes()) old_.insert(node.meta.name);
        for (const api::Pod& pod : pods()) seen_.insert(pod.meta.uid);
        ASSERT_EQ(seen_.size(), pods_);
    }
    std::vector<api::Pod> pods() const {
        std::vector<api::Pod> out;
        for (const std::string& text : world_.list("pods", "default")) out.push_back(*api::decode_pod(text));
        return out;
    }
    void change_template() {
        ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
    }
    std::size_t old_left() const {
        const std::vector<api::Node> all = nodes();
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const api::Node& node) { return old_.contains(node.meta.name); }));
    }
    // Until the old nodes are gone, counting pods that are made anew.
    bool all_go(Duration limit) {
        const bool are_gone = until(
            [&] {
                for (const api::Pod& pod : pods()) {
                    if (pod.spec.node_name.empty() || !seen_.insert(pod.meta.uid).second) continue;
                    ++made_;
                    on_old_ += old_.contains(pod.spec.node_name) ? 1 : 0;
                }
                return old_left() == 0;
            },
            limit);
        return are_gone && runs(pods_, minutes{1});
    }

    std::set<std::string> old_;   // Nodes.
    std::set<std::string> seen_;  // Pods, by uid.
    std::size_t pods_ = 0;
    std::size_t made_ = 0;
    std::size_t on_old_ = 0;  // Of these, bound to old nodes.
};

TEST_F(RolloutRig, drift_moves_a_pod_once) {
    apply(pool_in_generations(kOneByOne));
    start();
    half_fill();
    change_template();
    EXPECT_TRUE(all_go(minutes{15})) << old_left() << " are left";
    EXPECT_EQ(made_, pods_);
    EXPECT_EQ(on_old_, 0u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(RolloutRig, drift_moves_a_pod_once_where_the_scheduler_binds) {
    control::Options options = alone();
    options.pod_binding = act::PodBinding::kScheduler;
    apply(pool_in_generations(kOneByOne));
    start(options);
    half_fill();
    change_template();
    EXPECT_TRUE(all_go(minutes{15})) << old_left() << " are left";
    EXPECT_EQ(made_, pods_);
    EXPECT_EQ(on_old_, 0u);
}

TEST_F(RolloutRig, drift_moves_a_pod_once_where_consolidation_saves_meanwhile) {
    apply(pool_in_generations(
        "consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 0s, budgets: [{nodes: \"20%\"}, "
        "{nodes: \"0\", reasons: [Underutilized], schedule: \"0 0 1 1 *\", duration: 1m}]"));
    start();
    half_fill();
    change_template();
    EXPECT_TRUE(all_go(minutes{15})) << old_left() << " are left";
    EXPECT_EQ(on_old_, 0u);
}

TEST_F(RolloutRig, expiry_moves_a_pod_once) {
    apply(pool_in_generations(kOneByOne, {}, "expireAfter: 8m"));
    start();
    half_fill();
    EXPECT_TRUE(all_go(minutes{12})) << old_left() << " are left";
    EXPECT_EQ(made_, pods_);
    EXPECT_EQ(on_old_, 0u);
}

TEST_F(RolloutRig, where_a_limit_is_reached_rooms_on_drifted_nodes_will_do) {
    apply(pool_in_generations(kOneByOne, "limits: {nodes: 6}"));
    start();
    half_fill();
    ASSERT_EQ(old_.size(), 6u);
    change_template();
    EXPECT_TRUE(all_go(minutes{15})) << old_left() << " are left";
    EXPECT_GT(on_old_, 0u);
}

TEST_F(RolloutRig, where_all_is_sold_out_rooms_on_drifted_nodes_will_do) {
    apply(pool_in_generations(kOneByOne));
    start();
    half_fill();
    ASSERT_TRUE(world_.patch("kwoknodeclasses", "", "default",
                             R"({"metadata":{"annotations":{"joiner.sh/sold-out":"*"}}})"));
    const std::size_t before = old_left();
    change_template();
    (void)all_go(minutes{10});
    EXPECT_LT(old_left(), before);
    EXPECT_GT(on_old_, 0u);
}

// Free capacity that is kept for a pod on the move holds nobody whom that pod would not stand beside, also
// while it is being made again: each node is replaced before it goes.
class RolloutOfApart : public VirtualRig, public testing::WithParamInterface<int> {
  protected:
    RolloutOfApart() : VirtualRig(slow_to_make_pods()) {}

    static sim::ClusterOptions slow_to_make_pods() {
        sim::ClusterOptions out;
        out.world.pods_missed_late_by = seconds{GetParam()};
        return out;
    }
};

TEST_P(RolloutOfApart, each_node_is_replaced_before_it_goes) {
    apply(pool_in_generations(
        "consolidationPolicy: WhenEmpty, consolidateAfter: 30m, budgets: [{nodes: \"100%\"}]"));
    start();
    constexpr std::size_t kNodes = 12;
    apply(deployment("web", kNodes, "440m",
                     {.memory = "256Mi",
                      .pod = "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                             "[{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: "
                             "web}}}]}}"}));
    ASSERT_TRUE(runs(kNodes, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    ASSERT_EQ(nodes().size(), kNodes);
    ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
    std::size_t fewest = kNodes;
    const auto is_done = [&] {
        std::size_t old = 0;
        std::size_t up = 0;
        for (const api::Node& node : nodes()) {
            const bool is_new = api::find_or_empty(node.meta.labels, "generation") == "two";
            old += is_new ? 0 : 1;
            up += is_new && api::find_or_empty(node.meta.labels, api::kInitializedLabel) == "true" ? 1 : 0;
        }
        fewest = std::min(fewest, old + up);
        return old == 0;
    };
    EXPECT_TRUE(until(is_done, minutes{30}));
    EXPECT_EQ(fewest, kNodes);
    EXPECT_TRUE(runs(kNodes, minutes{1}));
    EXPECT_EQ(nodes().size(), kNodes);
}
INSTANTIATE_TEST_SUITE_P(SecondsUntilAPodIsMadeAgain, RolloutOfApart, testing::Values(0, 1, 2, 3, 4, 6));

}  // namespace
}  // namespace joiner
