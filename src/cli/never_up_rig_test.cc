// Nodes that do not come up: of a pool whose nodes fail one more is tried, and then none for a long time;
// what never came up goes, other pools serve meanwhile, and somebody hears what to mend. The whole controller
// on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"
#include "cloud/kwok/kwok_provider.h"
#include "sim/kubelet.h"

namespace joiner {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr std::string_view kStartupTaint =
    "startupTaints: [{key: example.com/agent-not-ready, effect: NoExecute}]";
constexpr std::string_view kTaintSaid = "startup taint example.com/agent-not-ready:NoExecute";

std::string stuck_pool(std::string_view spec = {}) {
    return node_pool({.name = "stuck",
                      .requirements = of_types(sim::kFourCpus),
                      .template_spec = kStartupTaint,
                      .spec = spec});
}

class NeverUp : public VirtualRig {
  protected:
    // Counts on the way; `meanwhile` for every claim that is new.
    void pass(Duration span, const std::function<void(const api::NodeClaim&)>& meanwhile = {}) {
        (void)passes([] { return false; }, span, meanwhile);
    }
    bool passes(const std::function<bool()>& is_done, Duration span,
                const std::function<void(const api::NodeClaim&)>& meanwhile = {}) {
        constexpr Duration kSlice = seconds{1};
        for (Duration waited{0}; waited < span; waited += kSlice) {
            if (is_done()) return true;
            world_.run_for(kSlice);
            const std::vector<api::NodeClaim> all = claims();
            const auto stay = std::count_if(all.begin(), all.end(),
                                            [](const api::NodeClaim& claim) { return !claim.meta.deleted; });
            most_ = std::max(most_, static_cast<std::size_t>(stay));
            for (const api::NodeClaim& claim : all) {
                if (!made_.insert(claim.meta.name).second) continue;
                if (meanwhile) meanwhile(claim);
            }
        }
        return is_done();
    }
    api::Condition health(const std::string& pool) const {
        const auto decoded = api::decode_node_pool(world_.get("nodepools", "", pool).value());
        const api::Condition* found = api::find_condition(decoded->conditions, "NodeRegistrationHealthy");
        return found == nullptr ? api::Condition{} : *found;
    }
    // Of Events about objects of the kind.
    std::string said_of(std::string_view kind, std::string_view reason) const {
        std::string out;
        for (const std::string& text : world_.list("events")) {
            const auto event = nlohmann::json::parse(text);
            if (event.value("reason", "") == reason && event["involvedObject"].value("kind", "") == kind)
                out += event.value("message", "") + "\n";
        }
        return out;
    }

    std::set<std::string> made_;  // Claims.
    std::size_t most_ = 0;        // At once, those that are on their way out aside.
};

TEST_F(NeverUp, a_startup_taint_that_stays_costs_two_nodes_at_most) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("waits", 2, "1"));
    pass(minutes{20});
    EXPECT_EQ(made_.size(), 2u) << "one more is tried";
    EXPECT_THAT(said_of("Pod", "FailedScheduling"), HasSubstr(kTaintSaid));
    EXPECT_THAT(said_of("NodePool", "NodeNotInitialized"), HasSubstr(kTaintSaid));
    pass(minutes{30});
    EXPECT_TRUE(claims().empty()) << "what did not come up is gone";
    EXPECT_EQ(health("stuck").status, "False");
    EXPECT_THAT(health("stuck").message, HasSubstr(kTaintSaid));
    EXPECT_THAT(said_of("Pod", "FailedScheduling"),
                HasSubstr("nothing is bought from NodePool stuck before"));
    pass(hours{2} + minutes{10});
    EXPECT_EQ(made_.size(), 3u) << "the next try came an hour later";
    EXPECT_LE(most_, 2u);
    ASSERT_TRUE(world_.scale("Deployment", "default", "waits", 0));
    pass(minutes{31});
    EXPECT_TRUE(claims().empty());
}

TEST_F(NeverUp, of_more_pods_each_node_is_tried_twice) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("waits", 6, "1"));
    pass(hours{3});
    EXPECT_LE(most_, 4u);
    EXPECT_LE(made_.size(), 6u);
}

TEST_F(NeverUp, pods_that_come_later_buy_no_more_of_a_pool_in_doubt) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("waits", 2, "1"));
    pass(minutes{50});
    ASSERT_EQ(made_.size(), 2u);
    apply(deployment("late", 2, "1"));
    pass(minutes{30});
    EXPECT_EQ(made_.size(), 2u);
}

TEST_F(NeverUp, a_change_of_the_pool_ends_the_doubt) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("waits", 2, "1"));
    pass(minutes{50});
    ASSERT_TRUE(claims().empty());
    ASSERT_TRUE(
        world_.patch("NodePool", "", "stuck", R"({"spec":{"template":{"spec":{"startupTaints":null}}}})"));
    EXPECT_TRUE(runs(2, minutes{1}));
}

TEST_F(NeverUp, a_taint_that_is_lifted_late_keeps_the_first_node) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("waits", 2, "1"));
    pass(minutes{10});
    ASSERT_EQ(nodes().size(), 1u);
    const std::string first = nodes().front().meta.name;
    pass(minutes{10});
    ASSERT_EQ(nodes().size(), 2u);
    ASSERT_TRUE(world_.patch("nodes", "", first, R"({"spec":{"taints":null}})"));
    EXPECT_TRUE(runs(2, minutes{1}));
    pass(hours{2});
    EXPECT_EQ(running(), 2u);
    ASSERT_EQ(nodes().size(), 1u);
    EXPECT_EQ(nodes().front().meta.name, first);
    EXPECT_EQ(made_.size(), 2u);
}

TEST_F(NeverUp, another_pool_serves_where_one_does_not_come_up) {
    apply(node_class() + stuck_pool("weight: 100") +
          node_pool({.name = "other", .requirements = of_types(sim::kFourCpus)}));
    start();
    apply(deployment("waits", 2, "1"));
    EXPECT_TRUE(passes([&] { return running() == 2; }, minutes{40}));
    pass(hours{2});
    EXPECT_EQ(running(), 2u);
    EXPECT_EQ(claims().size(), 1u);
    EXPECT_EQ(made_.size(), 3u);
}

TEST_F(NeverUp, a_node_that_pods_run_on_is_kept) {
    apply(node_class() + stuck_pool());
    start();
    apply(deployment("tolerant", 1, "1", {.pod = "tolerations: [{operator: Exists}]"}));
    ASSERT_TRUE(runs(1, minutes{1}));
    pass(hours{2});
    EXPECT_EQ(running(), 1u);
    EXPECT_EQ(made_.size(), 1u);
}

TEST_F(NeverUp, nodes_that_never_become_ready_cost_two_at_most) {
    apply(node_class("default", "nodeRegistrationDelay: 5s") +
          node_pool({.requirements = of_types(sim::kFourCpus)}));
    start();
    apply(deployment("waits", 2, "1"));
    pass(hours{3}, [&](const api::NodeClaim& claim) {
        world_.kubelet().set_ready_delay(cloud::kwok::node_name(claim), std::nullopt);
    });
    EXPECT_LE(most_, 2u);
    EXPECT_EQ(made_.size(), 3u);
    EXPECT_THAT(said_of("NodePool", "NodeNotInitialized"), HasSubstr("is not Ready"));
    EXPECT_EQ(health("default").status, "False");
}

TEST_F(NeverUp, nodes_that_never_register_cost_two_at_most_and_the_next_come_later) {
    apply(node_class("default", "nodeRegistrationDelay: 24h") +
          node_pool({.requirements = of_types(sim::kFourCpus)}));
    start();
    apply(deployment("waits", 2, "1"));
    pass(hours{3});
    EXPECT_LE(most_, 2u);
    EXPECT_EQ(made_.size(), 3u);
    EXPECT_EQ(health("default").reason, "RegistrationFailed");
    EXPECT_THAT(said_of("Pod", "FailedScheduling"), HasSubstr("has not registered as a node"));
    apply(node_class("default", "nodeRegistrationDelay: 1s"));
    EXPECT_TRUE(runs(2, minutes{2})) << "a change of the node class is tried at once";
}

TEST_F(NeverUp, a_static_pool_tries_its_nodes_again_at_growing_distances) {
    control::Options options = alone();
    options.gates.static_capacity = true;
    apply(node_class() + stuck_pool("replicas: 3"));
    start(options);
    pass(hours{3});
    EXPECT_LE(most_, 3u);
    EXPECT_LE(made_.size(), 9u);
    EXPECT_THAT(said_of("NodePool", "StaticCapacityLimited"), HasSubstr(kTaintSaid));
}

}  // namespace
}  // namespace joiner
