// A decision lives as long as its reasons: until a node's claim is deleted, everything that made the node a
// candidate is asked again, and what objects is heeded. The whole controller on virtual time.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;

constexpr std::string_view kNewTemplate =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

class SecondThoughts : public VirtualRig {
  protected:
    // A drifted node with two pods, whose replacement takes a minute to come up and is on its way.
    void begin_to_replace() {
        apply(node_class() +
              node_pool({.requirements = of_types(sim::kFourCpus),
                         .template_metadata = "labels: {generation: one}",
                         .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: 30s, "
                                       "budgets: [{nodes: \"100%\"}]"}));
        start();
        apply(deployment("web", 2, "1"));
        ASSERT_TRUE(runs(2, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        old_ = nodes().front().meta.name;
        pods_ = pod_uids();
        apply(node_class("default", "nodeRegistrationDelay: 60s"));
        ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
        ASSERT_TRUE(until([&] { return claims().size() == 2; }, minutes{1}));
        world_.run_for(seconds{10});
        ASSERT_TRUE(is_marked());
    }
    std::set<std::string> pod_uids() const {
        std::set<std::string> out;
        for (const std::string& text : world_.list("pods", "default"))
            out.insert(api::decode_pod(text)->meta.uid);
        return out;
    }
    std::string some_pod() const {
        return api::decode_pod(world_.list("pods", "default").front())->meta.name;
    }
    bool is_marked() const {
        const auto node = world_.get("nodes", "", old_);
        return node &&
               rules::has_taint(api::decode_node(*node)->taints, api::kDisruptedTaint, api::kNoSchedule);
    }
    bool is_there() const { return world_.get("nodes", "", old_).has_value(); }
    void annotate(const std::string& kind, const std::string& ns, const std::string& name,
                  std::string_view key, const std::string& value) {
        ASSERT_TRUE(world_.patch(kind, ns, name,
                                 fmt::format(R"({{"metadata":{{"annotations":{{"{}":{}}}}}}})", key, value)));
    }
    void expect_let_go(const std::string& why) {
        EXPECT_TRUE(
            until([&] { return !is_marked() && said("DisruptionBlocked").find(why) != std::string::npos; },
                  minutes{4}))
            << said("DisruptionBlocked");
        world_.run_for(minutes{20});
        EXPECT_TRUE(is_there());
        EXPECT_FALSE(is_marked());
        EXPECT_EQ(pod_uids(), pods_) << "no pod was moved";
        EXPECT_EQ(nodes().size(), 1u) << "what came up for it went as empty";
    }
    void expect_it_goes_on() {
        EXPECT_TRUE(until([&] { return !is_there(); }, minutes{5}));
        EXPECT_TRUE(runs(2, minutes{1}));
        EXPECT_EQ(disorder_after(minutes{1}), "");
    }

    std::string old_;
    std::set<std::string> pods_;
};

TEST_F(SecondThoughts, nobody_objects_and_the_node_is_replaced) {
    begin_to_replace();
    expect_it_goes_on();
}

TEST_F(SecondThoughts, a_pause_lets_go_of_the_node_until_it_ends) {
    begin_to_replace();
    annotate("NodePool", "", "default", "joiner.sh/disruption-paused", "\"true\"");
    expect_let_go("joiner.sh/disruption-paused");
    annotate("NodePool", "", "default", "joiner.sh/disruption-paused", "null");
    expect_it_goes_on();
}

TEST_F(SecondThoughts, a_pod_that_must_not_be_disrupted_lets_go_of_its_node) {
    begin_to_replace();
    const std::string pod = some_pod();
    annotate("pods", "default", pod, api::kDoNotDisruptAnnotation, "\"true\"");
    expect_let_go(pod);
    annotate("pods", "default", pod, api::kDoNotDisruptAnnotation, "null");
    expect_it_goes_on();
}

TEST_F(SecondThoughts, a_node_that_must_not_be_disrupted_is_let_go_of) {
    begin_to_replace();
    annotate("nodes", "", old_, api::kDoNotDisruptAnnotation, "\"true\"");
    expect_let_go("the node is annotated");
    annotate("nodes", "", old_, api::kDoNotDisruptAnnotation, "null");
    expect_it_goes_on();
}

TEST_F(SecondThoughts, a_budget_for_pods_that_allows_nothing_lets_go_of_the_node) {
    begin_to_replace();
    apply(disruption_budget("none", "web", "maxUnavailable: 0"));
    expect_let_go("PodDisruptionBudget default/none");
    ASSERT_TRUE(world_.remove("poddisruptionbudgets", "default", "none"));
    expect_it_goes_on();
}

TEST_F(SecondThoughts, a_pools_budget_of_none_lets_go_of_the_node) {
    begin_to_replace();
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"spec":{"disruption":{"budgets":[{"nodes":"0","reasons":["Drifted"]}]}}})"));
    expect_let_go("by the pool's budgets");
}

TEST_F(SecondThoughts, a_template_that_is_taken_back_lets_go_of_the_node) {
    begin_to_replace();
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"spec":{"template":{"metadata":{"labels":{"generation":"one"}}}}})"));
    expect_let_go("its NodePool would make again");
}

TEST_F(SecondThoughts, pods_that_are_gone_need_no_replacement) {
    begin_to_replace();
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{3}));
}

// Budgets of pods allow nothing for a moment each time one of theirs moves: no reason to give anything up.
TEST_F(SecondThoughts, a_rollout_whose_pods_share_a_budget_gives_nothing_up) {
    apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus),
                                    .template_metadata = "labels: {generation: one}",
                                    .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: 30s, "
                                                  "budgets: [{nodes: \"100%\"}]"}));
    apply(disruption_budget("one", "web", "maxUnavailable: 1"));
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
    EXPECT_TRUE(until(
        [&] {
            const std::vector<api::Node> all = nodes();
            return running() == 12 && std::all_of(all.begin(), all.end(), [](const api::Node& node) {
                       return api::find_or_empty(node.meta.labels, "generation") == "two";
                   });
        },
        minutes{15}));
    EXPECT_EQ(said("DisruptionBlocked").find("PodDisruptionBudget"), std::string::npos)
        << said("DisruptionBlocked");
}

// The old node waits for a pod that must not be disrupted, for good; what replaced it is a node like any
// other.
TEST_F(SecondThoughts, a_drain_that_hangs_pins_nothing_but_its_own_node) {
    apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus),
                                    .template_spec = "expireAfter: 5m",
                                    .template_metadata = "labels: {generation: one}",
                                    .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: 30s, "
                                                  "budgets: [{nodes: \"100%\"}]"}));
    start();
    apply(deployment("keeps", 1, "1", {.pod_annotations = "karpenter.sh/do-not-disrupt: \"true\""}) +
          deployment("moves", 2, "1"));
    ASSERT_TRUE(runs(3, minutes{1}));
    ASSERT_EQ(nodes().size(), 1u);
    const std::string hangs = nodes().front().meta.name;
    const auto others = [&] {
        std::vector<api::Node> all = nodes();
        std::erase_if(all, [&](const api::Node& node) { return node.meta.name == hangs; });
        return all;
    };
    ASSERT_TRUE(until([&] { return running() == 3 && others().size() == 1; }, minutes{7}));
    const std::string second = others().front().meta.name;
    world_.run_for(minutes{1});
    ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
    EXPECT_TRUE(until([&] { return !world_.get("nodes", "", second); }, minutes{3})) << "it has drifted";
    EXPECT_TRUE(until([&] { return running() == 3 && others().size() == 1; }, minutes{1}));
    const std::string third = others().front().meta.name;
    EXPECT_TRUE(until([&] { return !world_.get("nodes", "", third); }, minutes{8})) << "it has expired";
    EXPECT_TRUE(until([&] { return running() == 3; }, minutes{1}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "moves", 0));
    EXPECT_TRUE(until([&] { return others().empty(); }, minutes{8})) << "it is empty";
    EXPECT_TRUE(world_.get("nodes", "", hangs));
}

// Moved pods that are Ready are proof wherever the scheduler has put them, and the next node follows.
TEST_F(SecondThoughts, pods_that_landed_elsewhere_than_planned_are_proof_too) {
    control::Options options = alone();
    options.pod_binding = act::PodBinding::kScheduler;
    const auto pool = [](std::string_view name, std::string_view spec) {
        return node_pool({.name = name,
                          .requirements = of_types(sim::kFourCpus),
                          .template_metadata = "labels: {room: ab, generation: one}",
                          .spec = spec,
                          .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: 30m, "
                                        "budgets: [{nodes: \"100%\"}]"});
    };
    apply(node_class() + pool("a", "weight: 10"));
    start(options);
    apply(deployment("web", 24, "440m", {.memory = "256Mi"}));
    ASSERT_TRUE(runs(24, minutes{1}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 6));
    ASSERT_TRUE(runs(6, minutes{1}));
    apply(pool("b", "weight: 50"));
    apply(deployment(
        "seed", 4, "440m",
        {.memory = "256Mi",
         .pod = "nodeSelector: {karpenter.sh/nodepool: b}, affinity: {podAntiAffinity: "
                "{requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, "
                "labelSelector: {matchLabels: {app: seed}}}]}}"}));
    ASSERT_TRUE(runs(10, minutes{1}));
    world_.run_for(seconds{30});
    ASSERT_TRUE(world_.patch("NodePool", "", "a", std::string(kNewTemplate)));
    const auto of_a = [&] {
        const std::vector<api::Node> all = nodes();
        return std::count_if(all.begin(), all.end(), [](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, api::kNodePoolLabel) == "a" &&
                   api::find_or_empty(node.meta.labels, "generation") == "one";
        });
    };
    ASSERT_GE(of_a(), 2);
    EXPECT_TRUE(until([&] { return of_a() == 0; }, minutes{2})) << of_a() << " are left";
}

TEST_F(SecondThoughts, a_pace_that_holds_is_said) {
    apply(kPool);
    annotate("NodePool", "", "default", "joiner.sh/pod-moves-per-hour", "\"0\"");
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, minutes{1}));
    ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(kNewTemplate)));
    world_.run_for(minutes{5});
    EXPECT_THAT(said("DisruptionBlocked"),
                HasSubstr("the pace of joiner.sh/pod-moves-per-hour (0) leaves no room"));
}

}  // namespace
}  // namespace joiner
