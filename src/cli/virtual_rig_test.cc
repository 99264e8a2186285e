// The whole unmodified controller in the pretend world, on virtual time: scale-ups and scale-downs, kills at
// any moment, a leader and its standby, and faults drawn from seeds. In the end every pod runs, no node is
// over capacity, no instance is without a claim, and nothing is left behind.
#include "cli/testing/virtual_rig.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/names.h"
#include "base/testing/seeds.h"
#include "rules/resources.h"
#include "rules/taints.h"

namespace joiner {
namespace {

TEST_F(VirtualRig, a_pool_that_was_there_before_serves_the_first_pods_at_once) {
    apply(kPool);
    start();
    apply(deployment("web", 100, "1"));
    EXPECT_TRUE(runs(100, seconds{3}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(world_.bound_pods(), 100u);
}

TEST_F(VirtualRig, s5_5_empty_nodes_go_and_nothing_is_left) {
    apply(kPool);
    start();
    apply(deployment("web", 60, "1"));
    ASSERT_TRUE(runs(60, seconds{10}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{3}));
}

TEST_F(VirtualRig, s4_3_a_node_deleted_by_hand_is_drained_within_its_budget_and_replaced) {
    apply(kPool);
    apply(disruption_budget("web", "web", "maxUnavailable: 1"));
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, seconds{10}));
    const std::string victim = nodes().front().meta.name;
    ASSERT_TRUE(world_.remove("nodes", "", victim));
    std::size_t fewest = 12;
    EXPECT_TRUE(until(
        [&] {
            fewest = std::min(fewest, running());
            return !world_.get("nodes", "", victim) && running() == 12;
        },
        minutes{10}));
    EXPECT_GE(fewest, 11u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(VirtualRig, a_standby_takes_over_from_a_leader_that_is_killed) {
    apply(kPool);
    control::Options options;
    options.leader_election_namespace = "kube-system";
    options.identity = "first";
    start(options);
    world_.run_for(seconds{1});
    options.identity = "second";
    start(options);
    apply(deployment("web", 50, "1"));
    ASSERT_TRUE(until([&] { return !claims().empty(); }, seconds{5}));
    ASSERT_TRUE(processes_.front()->controller.is_leader());
    processes_.front()->loop.kill();
    EXPECT_TRUE(runs(50, minutes{2}));
    EXPECT_TRUE(processes_.back()->controller.is_leader());
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

// Fifteen pods are meant for a node that takes three seconds to come up, one for a node that is there at once
// and would hold them all.
TEST_F(VirtualRig, no_pod_is_drawn_to_a_node_that_opens_before_its_own) {
    apply(kPool);
    apply(node_class("slow", "nodeRegistrationDelay: 3s"));
    apply(node_pool({.name = "slow",
                     .node_class = "slow",
                     .requirements = of_types("c-16x-amd64-linux"),
                     .spec = "weight: 10, limits: {nodes: 1}"}));
    apply(node_pool({.name = "quick", .requirements = of_types("c-16x-amd64-linux"), .spec = "weight: 5"}));
    start();
    apply(deployment("web", 16, "1"));
    EXPECT_TRUE(runs(16, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(nodes().size(), 2u);
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr("joiner_pods_bound_total{result=\"bound\"} 16"));
}

constexpr std::string_view kApart =
    "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
    "[{topologyKey: topology.kubernetes.io/zone, labelSelector: {matchLabels: {app: apart}}}]}}";

// Rules that look beyond a node: all are met where the plan put the pods, so the scheduler places none.
TEST_F(VirtualRig, pods_with_rules_on_zones_run_where_they_were_planned) {
    apply(kPool);
    start();
    apply(deployment(
        "spread", 10, "1",
        {.pod = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, "
                "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: spread}}}]"}));
    apply(deployment(
        "together", 10, "1",
        {.pod = "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
                "topology.kubernetes.io/zone, labelSelector: {matchLabels: {app: together}}}]}}"}));
    apply(deployment("apart", 3, "1", {.pod = kApart}));
    EXPECT_TRUE(runs(23, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr("joiner_pods_bound_total{result=\"bound\"} 23"));
}

// Each is planned before the last one has a node, or even an instance.
TEST_F(VirtualRig, pods_that_keep_apart_by_zone_may_come_one_by_one) {
    apply(kPool);
    start();
    apply(deployment("apart", 0, "1", {.pod = kApart}));
    for (int replicas = 1; replicas <= 3; ++replicas) {
        ASSERT_TRUE(world_.scale("Deployment", "default", "apart", replicas));
        world_.run_for(std::chrono::milliseconds{200});
    }
    EXPECT_TRUE(runs(3, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr("joiner_pods_bound_total{result=\"bound\"} 3"));
}

class RandomMix : public VirtualRig, public testing::WithParamInterface<int> {};

// Deployments with rules among their pods come while others are being planned, bought and bound.
TEST_P(RandomMix, runs_where_it_was_planned) {
    const auto spread = [](std::string_view key, int skew) {
        return fmt::format(
            "topologySpreadConstraints: [{{maxSkew: {}, topologyKey: {}, whenUnsatisfiable: "
            "DoNotSchedule, labelSelector: {{matchLabels: {{app: NAME}}}}}}]",
            skew, key);
    };
    const auto affinity = [](std::string_view kind, std::string_view key) {
        return fmt::format(
            "affinity: {{{}: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: {}, "
            "labelSelector: {{matchLabels: {{app: NAME}}}}}}]}}}}",
            kind, key);
    };
    struct Kind {
        int most;
        std::string rules;
    };
    const Kind kinds[] = {{40, ""},
                          {30, spread(api::kZoneLabel, 1)},
                          {12, spread(api::kHostnameLabel, 2)},
                          {20, affinity("podAffinity", api::kZoneLabel)},
                          {8, affinity("podAntiAffinity", api::kHostnameLabel)},
                          {3, affinity("podAntiAffinity", api::kZoneLabel)}};
    latency_ = std::chrono::milliseconds{5 + 30 * (GetParam() % 4)};
    Rng rng(static_cast<std::uint64_t>(GetParam()));
    apply(kPool);
    start();
    std::size_t wanted = 0;
    for (int i = 0; i < 14; ++i) {
        const Kind& kind = kinds[static_cast<std::size_t>(i) % std::size(kinds)];
        const std::string name = fmt::format("app-{}", i);
        const int replicas = 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(kind.most)));
        std::string rules = kind.rules;
        if (const auto at = rules.find("NAME"); at != std::string::npos) rules.replace(at, 4, name);
        const int cpu_milli = 100 * (1 + static_cast<int>(rng.below(15)));
        apply(deployment(name, replicas, fmt::format("{}m", cpu_milli), {.pod = rules}));
        wanted += static_cast<std::size_t>(replicas);
        world_.run_for(std::chrono::milliseconds{rng.below(400)});
    }
    EXPECT_TRUE(runs(wanted, minutes{2})) << running() << " of " << wanted;
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr(fmt::format("joiner_pods_bound_total{{result=\"bound\"}} {}\n", wanted)));
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomMix, testing::Range(1, 1 + seeds(24)));

class OneByOne : public VirtualRig, public testing::WithParamInterface<int> {
  protected:
    explicit OneByOne(sim::ClusterOptions options = {}) : VirtualRig(std::move(options)) {}

    void bring_pods() {
        latency_ = std::chrono::milliseconds{60};
        apply(kPool);
        start();
        Rng rng(static_cast<std::uint64_t>(GetParam()));
        apply(deployment("web", 0, "300m"));
        constexpr int kPods = 150;
        for (int pods = 0; pods < kPods;) {
            pods = std::min(kPods, pods + 1 + static_cast<int>(rng.below(6)));
            ASSERT_TRUE(world_.scale("Deployment", "default", "web", pods));
            world_.run_for(std::chrono::milliseconds{rng.below(300)});
        }
        EXPECT_TRUE(runs(kPods, minutes{1}));
        EXPECT_EQ(disorder_after(minutes{1}), "");
        EXPECT_EQ(world_.event_reasons()["OutOfcpu"], 0u);
        EXPECT_EQ(world_.count("pods"), static_cast<std::size_t>(kPods)) << "the kubelet has refused some";
    }
};

// Windows open while more pods are being planned.
TEST_P(OneByOne, pods_come_and_no_node_gets_more_than_it_holds) {
    bring_pods();
}
INSTANTIATE_TEST_SUITE_P(Seeds, OneByOne, testing::Range(1, 1 + seeds(8)));

class LateScheduler : public OneByOne {
  protected:
    LateScheduler() : OneByOne(options()) {}
    static sim::ClusterOptions options() {
        sim::ClusterOptions out;
        out.scheduler.pods_late_by = std::chrono::milliseconds{1500};
        return out;
    }
};

// The scheduler sees a node open well before it sees the pods that were bound there.
TEST_P(LateScheduler, fills_no_node_a_second_time) {
    bring_pods();
}
INSTANTIATE_TEST_SUITE_P(Seeds, LateScheduler, testing::Range(1, 1 + seeds(8)));

class LateTaints : public VirtualRig, public testing::WithParamInterface<int> {
  protected:
    LateTaints() : VirtualRig(options()) {}
    static sim::ClusterOptions options() {
        sim::ClusterOptions out;
        out.world.nodes_seen_late_by = std::chrono::milliseconds{1500};
        out.kubelet.node_ready_delay = std::chrono::milliseconds{GetParam()};
        return out;
    }
};

// Controller-manager sees pods bound well before it sees that their node has lost the NoExecute taint it came
// up with.
TEST_P(LateTaints, evict_no_pod_from_a_node_that_has_just_come_up) {
    apply(kPool);
    start();
    apply(deployment("web", 20, "1500m"));
    EXPECT_TRUE(runs(20, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(world_.event_reasons()["TaintManagerEviction"], 0u);
    EXPECT_EQ(claims().size(), nodes().size());
}
INSTANTIATE_TEST_SUITE_P(NodeReadyAfterMilliseconds, LateTaints, testing::Values(0, 10, 100, 500, 3000));

class KilledAt : public VirtualRig, public testing::WithParamInterface<int> {};

// Every forty milliseconds of a scale-up, from the first pod to the last one running.
TEST_P(KilledAt, any_moment_of_a_scale_up_nothing_is_lost_nor_bought_twice) {
    apply(kPool);
    start();
    apply(deployment("web", 60, "3"));
    world_.run_for(std::chrono::milliseconds{40} * GetParam());
    kill();
    world_.run_for(seconds{1});
    start();
    EXPECT_TRUE(runs(60, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    rules::Resources bought;
    for (const api::Node& node : nodes()) bought += rules::as_capacity(node.capacity);
    EXPECT_LE(bought.cpu_milli, 2 * 180'000) << "more than once";
}
INSTANTIATE_TEST_SUITE_P(Moments, KilledAt, testing::Range(0, 40));

class Faulty : public VirtualRig, public testing::WithParamInterface<int> {
  protected:
    Faulty() : VirtualRig(faulty(static_cast<std::uint64_t>(GetParam()))) {}
};

TEST_P(Faulty, server_and_network_every_pod_runs_in_the_end_and_all_goes_away_again) {
    apply(kPool);
    start();
    apply(deployment("web", 80, "1"));
    apply(deployment("db", 20, "2"));
    world_.run_for(seconds{20 + GetParam() % 7});
    kill();
    start();
    EXPECT_TRUE(runs(100, minutes{10}));
    world_.faults().stop();
    EXPECT_EQ(disorder_after(minutes{5}), "");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(world_.scale("Deployment", "default", "db", 0));
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{15}));
}
INSTANTIATE_TEST_SUITE_P(Seeds, Faulty, testing::Range(1, 1 + seeds(16)));

}  // namespace
}  // namespace joiner
