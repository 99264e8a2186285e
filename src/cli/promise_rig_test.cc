// Clouds that do not keep what they promise: nodes that come up with a taint nobody declared, smaller, or
// labelled otherwise; and stock that runs out. Whatever it is, buying has a bound, and somebody hears what to
// mend. The whole controller on virtual time.
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;

constexpr std::string_view kAgentTaint = "node.cilium.io/agent-not-ready";

class PromiseRig : public VirtualRig {
  protected:
    // Every new node is changed as soon as it is seen; true once `is_done`.
    bool until_with(const std::function<void(const api::Node&)>& change, const std::function<bool()>& is_done,
                    Duration limit) {
        return until(
            [&] {
                for (const api::Node& node : nodes()) {
                    if (seen_.insert(node.meta.name).second) change(node);
                }
                return is_done();
            },
            limit);
    }
    void run_with(const std::function<void(const api::Node&)>& change, Duration span) {
        (void)until_with(change, [] { return false; }, span);
    }
    void add_taint(const api::Node& node) {
        if (rules::has_taint(node.taints, kAgentTaint, api::kNoSchedule)) return;
        std::vector<api::Taint> taints = node.taints;
        taints.push_back({std::string(kAgentTaint), "true", std::string(api::kNoSchedule), {}});
        ASSERT_TRUE(world_.patch("nodes", "", node.meta.name,
                                 R"({"spec":{"taints":)" + api::encode_taints(taints) + "}}"));
    }
    void take_taints_off() {
        for (const api::Node& node : nodes()) {
            std::vector<api::Taint> taints = node.taints;
            std::erase_if(taints, [](const api::Taint& taint) { return taint.key == kAgentTaint; });
            ASSERT_TRUE(world_.patch("nodes", "", node.meta.name,
                                     R"({"spec":{"taints":)" + api::encode_taints(taints) + "}}"));
        }
    }
    std::function<void(const api::Node&)> tainting() {
        return [this](const api::Node& node) { add_taint(node); };
    }
    // To two cores, whatever the type says.
    std::function<void(const api::Node&)> shrinking() {
        return [this](const api::Node& node) {
            ASSERT_TRUE(world_.patch("nodes", "", node.meta.name, R"({"status":{"allocatable":{"cpu":"2"}}})",
                                     "status"));
        };
    }
    // NodeClaims that were ever made, of the pool; of all without one.
    int made(const std::string& pool = {}) const {
        std::istringstream lines(processes_.back()->metrics.text());
        double out = 0;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("karpenter_nodeclaims_created_total{") &&
                (pool.empty() || line.find("nodepool=\"" + pool + "\"") != std::string::npos))
                out += std::stod(line.substr(line.rfind(' ')));
        }
        return static_cast<int>(out);
    }

  private:
    std::set<std::string> seen_;
};

TEST_F(PromiseRig, nodes_with_a_taint_nobody_declared_are_waited_for_and_kept) {
    apply(kPool);
    start();
    apply(deployment("web", 4, "1"));
    run_with(tainting(), seconds{25});
    const int bought = made();
    EXPECT_EQ(nodes().size(), static_cast<std::size_t>(bought)) << "none was taken away";
    EXPECT_EQ(running(), 0u);
    const std::string events = said("NodeNotAsPromised");
    EXPECT_THAT(events,
                HasSubstr("has the taint node.cilium.io/agent-not-ready=true:NoSchedule, which NodePool "
                          "default does not declare"));
    EXPECT_THAT(events, HasSubstr("spec.template.spec.startupTaints"));
    EXPECT_THAT(said("FailedScheduling"), HasSubstr("no other node is bought for it yet"));
    run_with(tainting(), minutes{5});
    EXPECT_EQ(made(), bought) << "nothing more is bought meanwhile";
    take_taints_off();
    EXPECT_TRUE(runs(4, seconds{10}));
    EXPECT_EQ(made(), bought);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(PromiseRig, nodes_with_a_taint_nobody_declared_are_waited_for_where_the_scheduler_binds) {
    apply(kPool);
    control::Options options = alone();
    options.pod_binding = act::PodBinding::kScheduler;
    start(options);
    apply(deployment("web", 4, "1"));
    run_with(tainting(), minutes{2});
    const int bought = made();
    EXPECT_EQ(nodes().size(), static_cast<std::size_t>(bought));
    take_taints_off();
    EXPECT_TRUE(runs(4, seconds{10}));
    EXPECT_EQ(made(), bought);
}

TEST_F(PromiseRig, a_restart_buys_nothing_for_pods_whose_nodes_have_such_a_taint) {
    apply(kPool);
    start();
    apply(deployment("web", 4, "1"));
    run_with(tainting(), seconds{30});
    const std::size_t there = nodes().size();
    kill();
    start();
    run_with(tainting(), minutes{2});
    EXPECT_EQ(nodes().size(), there);
    EXPECT_EQ(made(), 0);
    take_taints_off();
    EXPECT_TRUE(runs(4, seconds{10}));
}

TEST_F(PromiseRig, for_a_taint_that_stays_one_more_set_of_nodes_is_bought) {
    apply(kPool);
    start();
    apply(deployment("web", 4, "1"));
    run_with(tainting(), minutes{2});
    const int bought = made();
    run_with(tainting(), minutes{60});
    EXPECT_EQ(made(), 2 * bought);
    EXPECT_THAT(said("FailedScheduling"), HasSubstr("nodes were bought for it, and it runs on none of them"));
    // The user does what the Event says.
    apply(node_pool({.template_spec =
                         "startupTaints: [{key: node.cilium.io/agent-not-ready, value: \"true\", effect: "
                         "NoSchedule}]"}));
    run_with(tainting(), seconds{30});
    take_taints_off();
    EXPECT_TRUE(runs(4, seconds{30}));
}

TEST_F(PromiseRig, who_tolerates_the_taint_runs_at_once) {
    apply(kPool);
    start();
    apply(deployment("web", 4, "1", {.pod = "tolerations: [{operator: Exists}]"}));
    EXPECT_TRUE(until_with(tainting(), [&] { return running() == 4; }, seconds{20}));
}

TEST_F(PromiseRig, of_nodes_smaller_than_their_type_says_one_more_is_bought) {
    apply(kPool);
    start();
    apply(deployment("web", 1, "3"));
    run_with(shrinking(), minutes{30});
    EXPECT_LE(made(), 2);
    EXPECT_EQ(running(), 0u);
    EXPECT_THAT(said("FailedScheduling"),
                HasSubstr("2 nodes were bought for it, and it runs on none of them"));
}

// It may be what was asked for; a pool that is not ours never is.
TEST_F(PromiseRig, a_change_of_the_pool_of_another_controller_buys_nothing_more) {
    apply(kPool);
    start();
    apply(deployment("web", 1, "3"));
    run_with(shrinking(), minutes{20});
    ASSERT_EQ(made(), 2);
    apply(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: theirs}
spec:
  template:
    spec:
      nodeClassRef: {group: other.example.com, kind: OtherNodeClass, name: default}
      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
)");
    run_with(shrinking(), minutes{5});
    ASSERT_TRUE(world_.patch("NodePool", "", "theirs", R"({"spec":{"weight":7}})"));
    run_with(shrinking(), minutes{20});
    EXPECT_EQ(made(), 2);
    ASSERT_TRUE(world_.patch("NodePool", "", "default", R"({"spec":{"weight":7}})"));
    run_with(shrinking(), minutes{5});
    EXPECT_GT(made(), 2) << "one of ours may";
}

TEST_F(PromiseRig, of_nodes_labelled_otherwise_one_more_is_bought) {
    apply(kPool);
    start();
    apply(deployment("web", 1, "1", {.pod = "nodeSelector: {kubernetes.io/os: linux}"}));
    const auto relabel = [&](const api::Node& node) {
        ASSERT_TRUE(world_.patch("nodes", "", node.meta.name,
                                 R"({"metadata":{"labels":{"kubernetes.io/os":"plan9"}}})"));
    };
    run_with(relabel, minutes{30});
    EXPECT_LE(made(), 2);
    EXPECT_EQ(running(), 0u);
}

const std::string kTwoPools =
    node_class() + node_pool({.name = "spot-first", .capacity_types = "spot", .spec = "weight: 100"}) +
    node_pool({.name = "od-second", .spec = "weight: 10"});

class StockRig : public PromiseRig {
  protected:
    void sold_out(const std::string& what) {
        ASSERT_TRUE(world_.patch("kwoknodeclasses", "", "default",
                                 R"({"metadata":{"annotations":{"joiner.sh/sold-out":)" + what + "}}}"));
    }
};

TEST_F(StockRig, what_is_sold_out_is_left_alone_for_minutes_and_the_next_pool_serves) {
    apply(kTwoPools);
    sold_out("\"*/*/spot\"");
    start();
    apply(deployment("web", 100, "700m"));
    EXPECT_TRUE(runs(100, seconds{15}));
    const int tried = made("spot-first");
    EXPECT_LE(tried, 100) << "two plans of launches that fail, the second of small machines";
    EXPECT_THAT(said("InsufficientCapacityError"), HasSubstr("could not be launched"));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 140));
    EXPECT_TRUE(runs(140, seconds{15}));
    EXPECT_EQ(made("spot-first"), tried) << "nobody asks again so soon";
    sold_out("null");
    world_.run_for(minutes{4});
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 200));
    EXPECT_TRUE(runs(200, seconds{15}));
    EXPECT_GT(made("spot-first"), tried) << "but after a while";
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(StockRig, where_everything_is_sold_out_launches_are_tried_every_few_minutes_and_pods_hear_it) {
    apply(kPool);
    sold_out("\"*\"");
    start();
    apply(deployment("web", 10, "1"));
    world_.run_for(seconds{5});
    const int first = made();
    EXPECT_GE(first, 1);
    world_.run_for(minutes{10});
    EXPECT_LE(made(), 5 * first);
    EXPECT_THAT(said("FailedScheduling"),
                HasSubstr("NodePool default: every offering that meets its requirements is "
                          "sold out"));
    sold_out("null");
    EXPECT_TRUE(runs(10, minutes{4}));
}

TEST_F(StockRig, a_static_pool_asks_for_what_is_sold_out_at_growing_distances) {
    control::Options options = alone();
    options.gates.static_capacity = true;
    apply(node_class() + node_pool({.spec = "replicas: 3"}));
    sold_out("\"*\"");
    start(options);
    world_.run_for(minutes{5});
    EXPECT_LE(made(), 3 * 12);
    EXPECT_THAT(said("StaticCapacityLimited"), HasSubstr("launches for it failed in a row"));
    sold_out("null");
    EXPECT_TRUE(until([&] { return nodes().size() == 3; }, minutes{3}));
}

// Half of the pods may only go where all is sold out.
class SoldOutBeside : public StockRig {
  protected:
    void begin() {
        const auto pool = [](std::string_view name, std::string_view node_class) {
            return node_pool({.name = name,
                              .node_class = node_class,
                              .requirements = of_types(sim::kFourCpus),
                              .template_metadata = name == "good" ? "labels: {room: good, generation: one}"
                                                                  : "labels: {room: gone}",
                              .disruption = "consolidationPolicy: WhenEmptyOrUnderutilized, "
                                            "consolidateAfter: 30s, budgets: [{nodes: \"50%\"}]"});
        };
        apply(node_class() + node_class("gone") + pool("good", "default") + pool("gone", "gone"));
        ASSERT_TRUE(world_.patch("kwoknodeclasses", "", "gone",
                                 R"({"metadata":{"annotations":{"joiner.sh/sold-out":"*"}}})"));
        start();
        apply(deployment("web", 12, "900m", {.pod = "nodeSelector: {room: good}"}));
        ASSERT_TRUE(runs(12, minutes{1}));
        world_.run_for(seconds{20});
    }
    std::size_t of_generation(std::string_view generation) const {
        const std::vector<api::Node> all = nodes();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, "generation") == generation;
        }));
    }
    // How long until no node is of the old template.
    Duration rollout() {
        EXPECT_TRUE(world_.patch("NodePool", "", "good",
                                 R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})"));
        const WallTime began = world_.loop().now();
        EXPECT_TRUE(until([&] { return of_generation("one") == 0; }, minutes{10}));
        return world_.loop().now() - began;
    }
};

TEST_F(SoldOutBeside, a_pool_that_is_sold_out_holds_up_nobody_and_says_so) {
    begin();
    const Duration alone = rollout();
    ASSERT_TRUE(world_.patch("NodePool", "", "good",
                             R"({"spec":{"template":{"metadata":{"labels":{"generation":"one"}}}}})"));
    ASSERT_TRUE(until([&] { return of_generation("two") == 0; }, minutes{10}));
    world_.run_for(minutes{1});
    apply(deployment("train", 2, "900m", {.pod = "nodeSelector: {room: gone}"}));
    world_.run_for(seconds{20});
    EXPECT_LE(rollout(), alone + seconds{15});
    world_.run_for(minutes{1});
    EXPECT_LE(made("gone"), 10);
    EXPECT_THAT(said("FailedScheduling"),
                HasSubstr("NodePool gone: every offering that meets its requirements is sold out"));
    std::string of_pool;
    for (const std::string& text : world_.list("events")) {
        const auto event = nlohmann::json::parse(text);
        if (event["involvedObject"].value("name", "") == "gone") of_pool += event.value("reason", "") + "\n";
    }
    EXPECT_THAT(of_pool, HasSubstr("InsufficientCapacityError"));
}

TEST_F(SoldOutBeside, a_change_of_the_node_class_is_tried_at_once) {
    begin();
    apply(deployment("train", 2, "900m", {.pod = "nodeSelector: {room: gone}"}));
    world_.run_for(minutes{2});
    const int tried = made("gone");
    EXPECT_LE(tried, 10);
    ASSERT_TRUE(world_.patch("kwoknodeclasses", "", "gone",
                             R"({"metadata":{"annotations":{"joiner.sh/sold-out":null}}})"));
    EXPECT_TRUE(runs(14, seconds{30}));
}

}  // namespace
}  // namespace joiner
