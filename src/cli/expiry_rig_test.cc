// Expiry by the whole controller in the pretend world: through the gate, the replacement first, whatever pods
// say.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using std::chrono::hours;

std::string short_lived_pool() {
    return node_class() +
           node_pool({.requirements = of_types(sim::kFourCpus),
                      .template_spec = "expireAfter: 1h, terminationGracePeriod: 10m",
                      .disruption =
                          "consolidationPolicy: WhenEmpty, consolidateAfter: 5s, budgets: [{nodes: \"1\"}]"});
}

class Expiring : public VirtualRig {
  protected:
    void scale_up() {
        apply(short_lived_pool());
        start();
        apply(deployment("web", 12, "1"));
        ASSERT_TRUE(runs(12, seconds{30}));
        ASSERT_GE(nodes().size(), 4u);
        for (const api::NodeClaim& claim : claims()) first_.insert(claim.meta.name);
    }
    std::size_t first_ones_left() const {
        std::size_t out = 0;
        for (const api::NodeClaim& claim : claims()) out += first_.contains(claim.meta.name) ? 1 : 0;
        return out;
    }
    std::size_t leaving() const {
        std::size_t out = 0;
        for (const api::Node& node : nodes())
            out += rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule) ? 1 : 0;
        return out;
    }
    std::set<std::string> first_;
};

TEST_F(Expiring, s4_4_nodes_go_one_by_one_after_their_replacements_have_come) {
    scale_up();
    const std::size_t before = nodes().size();
    world_.run_for(minutes{59});
    EXPECT_EQ(first_ones_left(), before);
    std::size_t most_leaving = 0;
    bool replacement_came_first = true;
    EXPECT_TRUE(until(
        [&] {
            most_leaving = std::max(most_leaving, leaving());
            const std::vector<api::Node> all = nodes();
            const auto up =
                std::count_if(all.begin(), all.end(), [](const api::Node& n) { return !n.meta.deleted; });
            replacement_came_first &= static_cast<std::size_t>(up) >= before;
            return first_ones_left() == 0 && running() == 12;
        },
        minutes{20}));
    EXPECT_EQ(most_leaving, 1u) << "the budget";
    EXPECT_TRUE(replacement_came_first);
    EXPECT_THAT(said("DisruptionTerminating"), testing::HasSubstr("Expired"));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(Expiring, s4_4_a_closed_budget_or_a_pause_keeps_them) {
    scale_up();
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"spec":{"disruption":{"budgets":[{"nodes":"0","reasons":["Expired"]}]}}})"));
    world_.run_for(hours{2});
    EXPECT_EQ(first_ones_left(), first_.size());
    EXPECT_THAT(said("DisruptionBlocked"), testing::HasSubstr("Expired"));
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"metadata":{"annotations":{"joiner.sh/disruption-paused":"soon"}},
                                 "spec":{"disruption":{"budgets":[{"nodes":"100%"}]}}})"));
    world_.run_for(hours{1});
    EXPECT_EQ(first_ones_left(), first_.size());
    EXPECT_THAT(said("DisruptionBlocked"), testing::HasSubstr("\"soon\" is neither"));
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"metadata":{"annotations":{"joiner.sh/disruption-paused":"false"}}})"));
    EXPECT_TRUE(until([&] { return first_ones_left() == 0 && running() == 12; }, minutes{20}));
}

TEST_F(Expiring, s4_4_a_pod_that_must_not_be_disrupted_keeps_its_node_until_the_grace_period_ends) {
    scale_up();
    for (const std::string& text : world_.list("pods")) {
        ASSERT_TRUE(world_.patch("pods", "default", api::decode_pod(text)->meta.name,
                                 R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})"));
    }
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"budgets":[{"nodes":"100%"}]}}})"));
    world_.run_for(hours{1} + minutes{5});
    EXPECT_EQ(first_ones_left(), first_.size());
    EXPECT_EQ(leaving(), first_.size()) << "they are on their way";
    EXPECT_TRUE(until([&] { return first_ones_left() == 0 && running() == 12; }, minutes{20}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(Expiring, s4_4_where_nothing_more_may_be_bought_they_go_after_a_while_all_the_same) {
    scale_up();
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             fmt::format(R"({{"spec":{{"limits":{{"nodes":"{}"}}}}}})", nodes().size())));
    world_.run_for(hours{1} + minutes{8});
    EXPECT_EQ(first_ones_left(), first_.size());
    EXPECT_TRUE(until([&] { return first_ones_left() == 0 && running() == 12; }, minutes{30}));
}

}  // namespace
}  // namespace joiner
