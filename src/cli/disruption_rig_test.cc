// Disruption by choice, rule by rule: the names carry the section of Karpenter's behaviour they hold. The
// whole controller on virtual time.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;
using testing::Not;

// Nodes of four CPUs with `more` in their template, of which each pod takes a third.
std::string small_pool(std::string_view name, std::string_view disruption, std::string_view more = {}) {
    return node_pool({.name = name,
                      .requirements = of_types(sim::kFourCpus),
                      .template_metadata = more,
                      .disruption = disruption});
}
constexpr std::string_view kNeverIdle = "consolidateAfter: Never, budgets: [{nodes: \"100%\"}]";
constexpr std::string_view kNewTemplate =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

class DisruptionRig : public VirtualRig {
  protected:
    // Three more pods, and the node they fill.
    std::string fill_node(const std::string& name, const std::string& pod = {}) {
        std::set<std::string> before;
        for (const api::Node& node : nodes()) before.insert(node.meta.name);
        const std::size_t wanted = running() + 3;
        apply(deployment(name, 3, "1", {.pod = pod}));
        EXPECT_TRUE(runs(wanted, minutes{1}));
        EXPECT_EQ(disorder_after(minutes{1}), "");
        std::string out;
        for (const api::Node& node : nodes()) {
            if (!before.contains(node.meta.name)) out = node.meta.name;
        }
        EXPECT_EQ(nodes().size(), before.size() + 1);
        return out;
    }
    static std::string in_pool(const std::string& pool) {
        return fmt::format("nodeSelector: {{karpenter.sh/nodepool: {}}}", pool);
    }
    bool is_there(const std::string& node) const { return world_.get("nodes", "", node).has_value(); }
    bool goes(const std::string& node, Duration limit) {
        return until([&] { return !is_there(node); }, limit);
    }
    std::size_t marked() const {
        std::size_t out = 0;
        for (const api::Node& node : nodes())
            out += rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule) ? 1 : 0;
        return out;
    }
    std::string condition_of_pool(const std::string& pool, const std::string& type) const {
        const auto decoded = api::decode_node_pool(world_.get("nodepools", "", pool).value());
        const api::Condition* found = api::find_condition(decoded->conditions, type);
        return found == nullptr ? std::string{} : found->status;
    }
};

TEST_F(DisruptionRig, s5_1_a_mark_without_a_command_is_taken_off) {
    apply(node_class() + small_pool("default", kNeverIdle));
    start();
    const std::string node = fill_node("web");
    ASSERT_TRUE(
        world_.patch("nodes", "", node,
                     R"({"spec":{"taints":[{"key":"karpenter.sh/disrupted","effect":"NoSchedule"}]}})"));
    ASSERT_EQ(marked(), 1u);
    EXPECT_TRUE(until([&] { return marked() == 0; }, seconds{10}));
    world_.run_for(minutes{2});
    EXPECT_TRUE(is_there(node));
}

TEST_F(DisruptionRig, s5_1_what_has_drifted_goes_before_what_could_be_saved) {
    apply(node_class() + small_pool("default", "consolidateAfter: 0s, budgets: [{nodes: \"0\"}]"));
    start();
    for (const char* name : {"a", "b"}) (void)fill_node(name);
    for (const char* name : {"a", "b"}) ASSERT_TRUE(world_.scale("Deployment", "default", name, 1));
    ASSERT_TRUE(runs(2, minutes{1}));
    ASSERT_TRUE(world_.patch("NodePool", "", "default", kNewTemplate));
    world_.run_for(seconds{30});
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"budgets":[{"nodes":"1"}]}}})"));
    ASSERT_TRUE(until([&] { return !said("DisruptionTerminating").empty(); }, minutes{2}));
    EXPECT_THAT(said("DisruptionTerminating"), HasSubstr("Drifted"));
    EXPECT_THAT(said("DisruptionTerminating"), Not(HasSubstr("Underutilized")));
}

TEST_F(DisruptionRig, s5_3_what_no_budget_can_be_is_refused_with_its_field) {
    apply(node_class());
    for (const char* wrong : {"-1", "200%"}) {
        const Status applied =
            world_.apply(small_pool("default", fmt::format("budgets: [{{nodes: \"{}\"}}]", wrong)));
        ASSERT_FALSE(applied) << wrong;
        EXPECT_THAT(applied.error().message, HasSubstr("spec.disruption.budgets")) << wrong;
    }
}

TEST_F(DisruptionRig, s5_3_a_schedule_that_cannot_be_read_keeps_its_pools_nodes_and_no_others) {
    const std::string when = "consolidationPolicy: WhenEmpty, consolidateAfter: 5s, budgets: ";
    apply(node_class() + small_pool("odd", when + R"([{nodes: "1", schedule: "61 0 * * *", duration: 1h}])") +
          small_pool("fine", when + R"([{nodes: "1"}])"));
    start();
    const std::string kept = fill_node("a", in_pool("odd"));
    const std::string other = fill_node("b", in_pool("fine"));
    EXPECT_EQ(condition_of_pool("odd", "Ready"), "True") << "it is served all the same";
    EXPECT_THAT(said("InvalidBudget"), HasSubstr("\"61 0 * * *\": minute"));
    for (const char* name : {"a", "b"}) ASSERT_TRUE(world_.scale("Deployment", "default", name, 0));
    EXPECT_TRUE(goes(other, minutes{1}));
    world_.run_for(minutes{5});
    EXPECT_TRUE(is_there(kept));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("\"61 0 * * *\""));
    ASSERT_TRUE(
        world_.patch("NodePool", "", "odd", R"({"spec":{"disruption":{"budgets":[{"nodes":"1"}]}}})"));
    EXPECT_TRUE(goes(kept, minutes{1}));
}

TEST_F(DisruptionRig, s5_5_nodes_with_daemons_only_are_empty_under_any_policy) {
    const std::pair<const char*, const char*> pools[] = {
        {"when-empty", "WhenEmpty"}, {"underused", "WhenEmptyOrUnderutilized"}, {"balanced", "Balanced"}};
    apply(node_class());
    for (const auto& [pool, policy] : pools)
        apply(small_pool(pool, fmt::format("consolidateAfter: 30s, consolidationPolicy: {}", policy)));
    apply(R"({apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent}, spec: {
              selector: {matchLabels: {app: agent}}, template: {metadata: {labels: {app: agent}}, spec: {
              containers: [{name: app, image: sample, resources: {requests: {cpu: 100m}}}]}}}})");
    start();
    for (const auto& [pool, policy] : pools) apply(deployment(pool, 3, "1", {.pod = in_pool(pool)}));
    ASSERT_TRUE(runs(12, minutes{1}));
    for (const auto& [pool, policy] : pools) ASSERT_TRUE(world_.scale("Deployment", "default", pool, 0));
    world_.run_for(seconds{25});
    EXPECT_EQ(nodes().size(), 3u) << "they have not been idle for long enough";
    EXPECT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{2}));
}

TEST_F(DisruptionRig, s5_6_a_drifted_node_whose_pods_have_no_place_is_named_and_the_next_one_goes) {
    apply(node_class() + small_pool("default", kNeverIdle, "labels: {generation: one}"));
    start();
    const std::string kept = fill_node("old-fashioned", "nodeSelector: {generation: one}");
    const std::string other = fill_node("web");
    ASSERT_TRUE(world_.patch("NodePool", "", "default", kNewTemplate));
    EXPECT_TRUE(goes(other, minutes{3}));
    EXPECT_TRUE(runs(6, minutes{1}));
    world_.run_for(minutes{10});
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("old-fashioned"));
    EXPECT_TRUE(is_there(kept));
    EXPECT_EQ(marked(), 0u);
    EXPECT_EQ(running(), 6u);
}

TEST_F(DisruptionRig, s5_6_what_replaces_a_drifted_node_may_cost_more) {
    apply(node_class() + small_pool("default", kNeverIdle));
    start();
    const std::string node = fill_node("web");
    apply(node_pool({.requirements = of_types("c-16x-amd64-linux"), .disruption = kNeverIdle}));
    EXPECT_TRUE(goes(node, minutes{3}));
    EXPECT_TRUE(runs(3, minutes{1}));
    ASSERT_EQ(nodes().size(), 1u);
    EXPECT_EQ(api::find_or_empty(nodes().front().meta.labels, api::kInstanceTypeLabel), "c-16x-amd64-linux");
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(DisruptionRig, s5_14_a_replacement_that_is_deleted_meanwhile_ends_the_command) {
    apply(node_class() + small_pool("default", kNeverIdle));
    start();
    const std::string node = fill_node("web");
    const std::string first = claims().front().meta.name;
    apply(node_class("default", "nodeRegistrationDelay: 20s"));
    ASSERT_TRUE(world_.patch("NodePool", "", "default", kNewTemplate));
    ASSERT_TRUE(until([&] { return marked() == 1 && claims().size() == 2; }, minutes{1}));
    for (const api::NodeClaim& claim : claims()) {
        if (claim.meta.name != first) {
            ASSERT_TRUE(world_.remove("nodeclaims", "", claim.meta.name));
        }
    }
    EXPECT_TRUE(until([&] { return marked() == 0; }, seconds{10}));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("what was to replace the node did not come up"));
    EXPECT_TRUE(is_there(node));
    EXPECT_EQ(running(), 3u);
    EXPECT_TRUE(goes(node, minutes{3})) << "it is tried again";
    EXPECT_TRUE(runs(3, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(DisruptionRig, replacements_of_one_node_that_ask_for_the_same_are_one_launch_group) {
    apply(node_class() +
          node_pool({.requirements = of_types("c-16x-amd64-linux"), .disruption = kNeverIdle}));
    start();
    apply(deployment("web", 12, "1"));
    ASSERT_TRUE(runs(12, minutes{1}));
    ASSERT_EQ(claims().size(), 1u);
    const std::string first = claims().front().meta.name;
    EXPECT_FALSE(claims().front().meta.annotations.contains(api::kLaunchGroupAnnotation));
    apply(small_pool("default", kNeverIdle));
    ASSERT_TRUE(until([&] { return claims().size() == 5; }, minutes{2}));
    std::set<std::string> groups;
    for (const api::NodeClaim& claim : claims()) {
        if (claim.meta.name != first)
            groups.emplace(api::find_or_empty(claim.meta.annotations, api::kLaunchGroupAnnotation));
    }
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_TRUE(groups.begin()->ends_with("/4")) << *groups.begin();
    EXPECT_TRUE(until([&] { return claims().size() == 4 && nodes().size() == 4; }, minutes{3}));
    EXPECT_TRUE(runs(12, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

class TwoPools : public VirtualRig {};

TEST_F(TwoPools, s5_5_an_empty_node_does_not_wait_for_that_of_another_pool) {
    const auto pool = [](std::string_view name, std::string_view after) {
        const std::string disruption = fmt::format(
            "consolidationPolicy: WhenEmpty, consolidateAfter: {}, budgets: [{{nodes: \"100%\"}}]", after);
        return node_pool({.name = name, .disruption = disruption});
    };
    apply(node_class() + pool("slow", "1h") + pool("quick", "5s"));
    start();
    for (const char* name : {"slow", "quick"}) {
        const std::string selector = fmt::format("nodeSelector: {{karpenter.sh/nodepool: {}}}", name);
        apply(deployment(name, 1, "1", {.pod = selector}));
    }
    ASSERT_TRUE(runs(2, minutes{1}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "slow", 0));
    world_.run_for(seconds{30});
    ASSERT_TRUE(world_.scale("Deployment", "default", "quick", 0));
    EXPECT_TRUE(until([&] { return nodes().size() == 1; }, minutes{1}));
}

}  // namespace
}  // namespace joiner
