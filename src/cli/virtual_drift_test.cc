// Drift on virtual time: nodes are replaced within budgets, the new one first, whatever is killed or breaks
// on the way.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/names.h"
#include "cli/testing/virtual_rig.h"
#include "rules/resources.h"
#include "rules/taints.h"

namespace joiner {
namespace {

// Nodes of four CPUs, one disrupted at a time.
std::string small_nodes() {
    return node_class() +
           node_pool(
               {.requirements = of_types(sim::kFourCpus),
                .template_metadata = "labels: {generation: one}",
                .disruption =
                    "consolidationPolicy: WhenEmpty, consolidateAfter: 5s, budgets: [{nodes: \"1\"}]"}) +
           disruption_budget("web", "web", "maxUnavailable: 2");
}

class Drifting : public VirtualRig {
  protected:
    explicit Drifting(sim::ClusterOptions options = {}) : VirtualRig(std::move(options)) {}

    void scale_up() {
        apply(small_nodes());
        start();
        apply(deployment("web", 12, "1"));
        ASSERT_TRUE(runs(12, seconds{30}));
        ASSERT_GE(nodes().size(), 3u);
    }
    void change_template() {
        ASSERT_TRUE(world_.patch("NodePool", "", "default",
                                 R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})"));
    }
    bool is_marked(const api::Node& node) const {
        return rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule);
    }
    std::size_t count_nodes(const std::function<bool(const api::Node&)>& counts) const {
        const std::vector<api::Node> all = nodes();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), counts));
    }
    std::size_t old_nodes() const {
        return count_nodes([](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, "generation") == "one";
        });
    }
    std::size_t marked_nodes() const {
        return count_nodes([this](const api::Node& node) { return is_marked(node); });
    }
    std::size_t marked_claims() const {
        const std::vector<api::NodeClaim> all = claims();
        return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const api::NodeClaim& c) {
            return api::find_condition(c.conditions, "DisruptionReason") != nullptr;
        }));
    }
};

TEST_F(Drifting, s4_5_a_change_of_the_pool_is_seen_on_all_its_claims_at_once) {
    scale_up();
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"budgets":[{"nodes":"0"}]}}})"));
    const auto drifted = [&] {
        const std::vector<api::NodeClaim> all = claims();
        return std::count_if(all.begin(), all.end(), [](const api::NodeClaim& claim) {
            return api::find_condition(claim.conditions, "Drifted") != nullptr;
        });
    };
    for (const char* generation : {"two", "one", "two", "one"}) {
        world_.run_for(std::chrono::milliseconds{12'300});  // Whatever else is looked at every ten seconds.
        ASSERT_TRUE(world_.patch(
            "NodePool", "", "default",
            fmt::format(R"({{"spec":{{"template":{{"metadata":{{"labels":{{"generation":"{}"}}}}}}}}}})",
                        generation)));
        world_.run_for(std::chrono::milliseconds{500});
        EXPECT_EQ(drifted(), generation == std::string("two") ? std::ssize(claims()) : 0);
    }
}

TEST_F(Drifting, a_node_is_drained_as_soon_as_its_claim_is_deleted) {
    scale_up();
    change_template();
    ASSERT_TRUE(until(
        [&] {
            const std::vector<api::NodeClaim> all = claims();
            return std::any_of(all.begin(), all.end(),
                               [](const api::NodeClaim& claim) { return claim.meta.deleted.has_value(); });
        },
        minutes{1}));
    EXPECT_TRUE(until(
        [&] { return count_nodes([](const api::Node& node) { return node.meta.deleted.has_value(); }) > 0; },
        seconds{1}));
}

TEST_F(Drifting, s5_6_nodes_are_replaced_one_by_one_and_the_pods_keep_running) {
    scale_up();
    const std::size_t nodes_before = nodes().size();
    change_template();
    std::size_t most_marked = 0;
    std::size_t most_nodes = 0;
    std::size_t fewest_running = 12;
    bool replacement_came_first = true;
    EXPECT_TRUE(until(
        [&] {
            most_marked = std::max(most_marked, marked_nodes());
            most_nodes = std::max(most_nodes, nodes().size());
            fewest_running = std::min(fewest_running, running());
            const std::size_t up = count_nodes([](const api::Node& node) { return !node.meta.deleted; });
            replacement_came_first &= up >= nodes_before;
            return old_nodes() == 0;
        },
        minutes{10}));
    EXPECT_EQ(most_marked, 1u) << "the budget";
    EXPECT_EQ(most_nodes, nodes_before + 1);
    EXPECT_TRUE(replacement_came_first);
    EXPECT_GE(fewest_running, 10u) << "the pods' budget";
    EXPECT_TRUE(runs(12, minutes{1}));
    EXPECT_EQ(nodes().size(), nodes_before);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(Drifting, goes_in_waves_one_node_first_whatever_the_budgets_allow) {
    apply(small_nodes());
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"budgets":[{"nodes":"100%"}]}}})"));
    ASSERT_TRUE(world_.remove("poddisruptionbudgets", "default", "web"));
    start();
    apply(deployment("web", 24, "1"));
    ASSERT_TRUE(runs(24, seconds{30}));
    ASSERT_GE(nodes().size(), 8u);
    change_template();
    std::size_t most_before_the_first_is_over = 0;
    std::size_t most = 0;
    const auto new_nodes = [&] {
        return count_nodes([](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, "generation") == "two" &&
                   api::find_or_empty(node.meta.labels, api::kInitializedLabel) == "true";
        });
    };
    ASSERT_TRUE(until(
        [&] {
            std::size_t& seen = new_nodes() == 0 ? most_before_the_first_is_over : most;
            seen = std::max(seen, marked_nodes());
            return old_nodes() == 0 && running() == 24;
        },
        minutes{20}));
    EXPECT_EQ(most_before_the_first_is_over, 1u) << "the canary";
    EXPECT_GT(most, 1u) << "later waves are larger";
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(Drifting, s4_6_conditions_say_what_disruption_goes_by) {
    scale_up();
    EXPECT_TRUE(until(
        [&] {
            const std::vector<api::NodeClaim> all = claims();
            return std::all_of(all.begin(), all.end(), [](const api::NodeClaim& claim) {
                const api::Condition* idle = api::find_condition(claim.conditions, "Consolidatable");
                return idle != nullptr && idle->status == "True" && claim.last_pod_event &&
                       api::find_condition(claim.conditions, "Drifted") == nullptr;
            });
        },
        minutes{1}));
    const auto pool = api::decode_node_pool(world_.get("nodepools", "", "default").value());
    const api::Condition* health = api::find_condition(pool->conditions, "NodeRegistrationHealthy");
    ASSERT_NE(health, nullptr);
    EXPECT_EQ(health->status, "True");
}

TEST_F(Drifting, s5_14_a_replacement_that_does_not_come_up_leaves_the_old_node_as_it_was) {
    scale_up();
    const std::size_t nodes_before = nodes().size();
    apply(node_class("default", "nodeRegistrationDelay: 24h"));
    change_template();
    ASSERT_TRUE(until([&] { return marked_nodes() == 1 && marked_claims() == 1; }, minutes{1}));
    const std::vector<api::Node> there = nodes();
    const auto first = std::find_if(there.begin(), there.end(), [&](const auto& n) { return is_marked(n); });
    const auto is_first_marked = [&] {
        const auto node = api::decode_node(world_.get("nodes", "", first->meta.name).value());
        return is_marked(*node);
    };
    EXPECT_FALSE(until([&] { return !is_first_marked(); }, minutes{9}));
    EXPECT_TRUE(until([&] { return !is_first_marked(); }, minutes{2}));
    world_.run_for(minutes{22});
    EXPECT_THAT(processes_.back()->metrics.text(),
                testing::HasSubstr(R"(joiner_disruption_held{nodepool="default"} 1)"))
        << "the third in a row";
    EXPECT_EQ(old_nodes(), nodes_before);
    EXPECT_EQ(running(), 12u);
    ASSERT_TRUE(until([&] { return marked_nodes() == 0 && marked_claims() == 0; }, minutes{1}));
    EXPECT_EQ(nodes().size(), claims().size()) << "what did not come up is gone";
    EXPECT_FALSE(until([&] { return marked_nodes() > 0; }, minutes{5})) << "it is held";
    EXPECT_GT(world_.event_reasons()["DisruptionBlocked"], 0u);
}

TEST_F(Drifting, s5_14_a_replacement_that_has_only_registered_is_waited_for_a_little_longer) {
    scale_up();
    const std::size_t nodes_before = nodes().size();
    ASSERT_TRUE(world_.patch(
        "NodePool", "", "default",
        R"({"spec":{"template":{"spec":{"startupTaints":[{"key":"example.com/a","effect":"PreferNoSchedule"}]}}}})"));
    ASSERT_TRUE(until([&] { return marked_nodes() == 1 && nodes().size() == nodes_before + 1; }, minutes{1}));
    std::string late;
    for (const api::NodeClaim& claim : claims()) {
        if (!claim.startup_taints.empty()) late = claim.meta.name;
    }
    ASSERT_NE(late, "");
    ASSERT_TRUE(until([&] { return marked_nodes() == 0; }, minutes{12}));
    EXPECT_EQ(nodes().size(), nodes_before + 1) << "and no other is tried at once";
    EXPECT_TRUE(world_.get("nodeclaims", "", late));
    EXPECT_FALSE(until([&] { return !world_.get("nodeclaims", "", late); }, minutes{4}));
    EXPECT_TRUE(until([&] { return !world_.get("nodeclaims", "", late); }, minutes{2}));
    EXPECT_EQ(running(), 12u);
}

TEST_F(Drifting, s5_2_pods_that_must_not_be_disrupted_keep_their_nodes) {
    scale_up();
    for (const std::string& text : world_.list("pods")) {
        ASSERT_TRUE(world_.patch("pods", "default", api::decode_pod(text)->meta.name,
                                 R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})"));
    }
    change_template();
    EXPECT_FALSE(until([&] { return marked_nodes() > 0; }, minutes{2}));
    EXPECT_GT(world_.event_reasons()["DisruptionBlocked"], 0u);
}

TEST_F(Drifting, s5_3_a_closed_budget_keeps_drifted_nodes_and_the_pool_says_so) {
    apply(small_nodes());
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"spec":{"disruption":{"budgets":[{"nodes":"0","reasons":["Drifted"]}]}}})"));
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, seconds{30}));
    change_template();
    EXPECT_FALSE(until([&] { return marked_nodes() > 0; }, minutes{2}));
    EXPECT_GT(world_.event_reasons()["DisruptionBlocked"], 0u);
    const std::vector<api::NodeClaim> all = claims();
    EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const api::NodeClaim& claim) {
        const api::Condition* drifted = api::find_condition(claim.conditions, "Drifted");
        return drifted != nullptr && drifted->status == "True" && drifted->reason == "NodePoolDrifted";
    }));
}

TEST_F(Drifting,
       s5_14_pods_that_come_meanwhile_take_neither_the_leaving_node_nor_the_room_of_those_that_move) {
    scale_up();
    // The replacement takes its time, so that there is a meanwhile.
    apply(node_class("default", "nodeRegistrationDelay: 20s"));
    change_template();
    ASSERT_TRUE(until([&] { return marked_nodes() == 1 && marked_claims() == 1; }, minutes{1}));
    const std::vector<api::Node> there = nodes();
    const std::string leaving =
        std::find_if(there.begin(), there.end(), [&](const auto& n) { return is_marked(n); })->meta.name;
    apply(deployment("late", 6, "1"));
    std::string lost;
    ASSERT_TRUE(until(
        [&] {
            for (const std::string& text : world_.list("pods")) {
                const api::Pod pod = *api::decode_pod(text);
                if (pod.meta.name.starts_with("late") && pod.spec.node_name == leaving)
                    lost = pod.meta.name + " landed on the leaving node";
            }
            return old_nodes() == 0 && running() == 18;
        },
        minutes{20}));
    EXPECT_EQ(lost, "");
    EXPECT_LE(nodes().size(), there.size() + 3) << "six pods are two nodes' worth, and one is to spare";
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

class KilledWhileDrifting : public Drifting, public testing::WithParamInterface<int> {};

// Every 150 milliseconds from the change on, through marks, launches, waits and deletions.
TEST_P(KilledWhileDrifting, s5_1_at_any_moment_it_goes_on_and_no_mark_stays) {
    scale_up();
    const std::size_t nodes_before = nodes().size();
    change_template();
    ASSERT_TRUE(until([&] { return marked_claims() + marked_nodes() > 0; }, minutes{1}));
    world_.run_for(std::chrono::milliseconds{150} * GetParam());
    kill();
    world_.run_for(seconds{2});
    start();
    EXPECT_TRUE(until([&] { return old_nodes() == 0 && running() == 12; }, minutes{15}));
    EXPECT_TRUE(until([&] { return marked_nodes() == 0 && marked_claims() == 0; }, minutes{1}));
    EXPECT_LE(nodes().size(), nodes_before + 1);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}
INSTANTIATE_TEST_SUITE_P(Moments, KilledWhileDrifting, testing::Range(0, 20));

class FaultyDrift : public Drifting, public testing::WithParamInterface<int> {
  protected:
    FaultyDrift() : Drifting(faulty(static_cast<std::uint64_t>(GetParam()))) {}
};

TEST_P(FaultyDrift, ends_with_every_node_replaced) {
    apply(small_nodes());
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, minutes{5}));
    change_template();
    EXPECT_TRUE(until([&] { return old_nodes() == 0 && running() == 12; }, minutes{30}));
    world_.faults().stop();
    EXPECT_TRUE(until([&] { return marked_nodes() == 0 && marked_claims() == 0; }, minutes{5}));
    EXPECT_EQ(disorder_after(minutes{5}), "");
}
INSTANTIATE_TEST_SUITE_P(Seeds, FaultyDrift, testing::Range(1, 9));

}  // namespace
}  // namespace joiner
