// What the decision log holds about nodes that stay or go, and about their pools: emptiness, drift, expiry,
// consolidation, repair, static pools. The whole controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using observe::Matter;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr std::string_view kNewTemplate =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

class NodesDecided : public VirtualRig {
  protected:
    std::string first_node() const { return nodes().front().meta.name; }
    void patch_pool(std::string_view patch) {
        ASSERT_TRUE(world_.patch("NodePool", "", "default", std::string(patch)));
    }
    void annotate(const std::string& kind, const std::string& name, std::string_view key,
                  std::string_view value) {
        ASSERT_TRUE(
            world_.patch(kind, kind == "pods" ? "default" : "", name,
                         fmt::format(R"({{"metadata":{{"annotations":{{"{}":"{}"}}}}}})", key, value)));
    }
    // A node of four CPUs with two pods.
    void come_up(std::string_view disruption, std::string_view template_spec = {}) {
        apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus),
                                        .template_spec = template_spec,
                                        .template_metadata = "labels: {generation: one}",
                                        .disruption = disruption}));
        start();
        apply(deployment("web", 2, "1"));
        ASSERT_TRUE(runs(2, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        node_ = first_node();
    }
    bool comes_to(Matter matter, const std::string& words, Duration limit = minutes{2}) {
        return until([&] { return decided_of_node(node_, matter).find(words) != std::string::npos; }, limit);
    }
    std::string node_;
};

TEST_F(NodesDecided, an_empty_node_says_what_it_waits_for_and_that_it_goes) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 20s, budgets: [{nodes: \"0\"}]");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    EXPECT_TRUE(
        comes_to(Matter::kEmptiness, "kept, because its pods came or went less than consolidateAfter ago"));
    EXPECT_TRUE(comes_to(Matter::kEmptiness, "kept, because no node may be disrupted as Empty now"));
    EXPECT_THAT(decided_of_pool("default", Matter::kEmptiness), HasSubstr("closed, because no node may be"));
    patch_pool(R"({"spec":{"disruption":{"budgets":[{"nodes":"1"}]}}})");
    EXPECT_TRUE(comes_to(Matter::kEmptiness, "leaves, because no pod needs the node"));
    EXPECT_THAT(decided_of_pool("default", Matter::kEmptiness), HasSubstr("open"));
}

TEST_F(NodesDecided, a_node_that_is_empty_no_more_has_nothing_to_say_of_that) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 1h, budgets: [{nodes: \"100%\"}]");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(comes_to(Matter::kEmptiness, "kept"));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 1));
    EXPECT_TRUE(until([&] { return decided_of_node(node_, Matter::kEmptiness).empty(); }, minutes{1}))
        << decided_of_node(node_, Matter::kEmptiness) << " with " << running() << " running";
}

TEST_F(NodesDecided, a_drifted_node_says_all_that_keeps_it_then_that_it_goes) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 30s, budgets: [{nodes: \"1\"}]");
    const std::string pod = some_pod_of("web");
    apply(disruption_budget("all", "web", "maxUnavailable: 0"));
    annotate("nodes", node_, api::kDoNotDisruptAnnotation, "true");
    annotate("pods", pod, api::kDoNotDisruptAnnotation, "true");
    patch_pool(kNewTemplate);
    ASSERT_TRUE(comes_to(Matter::kDrift, "kept"));
    EXPECT_THAT(decided_of_node(node_, Matter::kDrift),
                AllOf(HasSubstr("the node is annotated karpenter.sh/do-not-disrupt=true; "),
                      HasSubstr("pod default/" + pod + " is annotated karpenter.sh/do-not-disrupt=true"),
                      HasSubstr("PodDisruptionBudget default/all allows no eviction of pod default/")));
    EXPECT_THAT(said("DisruptionBlocked"), HasSubstr("the node is annotated")) << "the first of them";
    annotate("nodes", node_, api::kDoNotDisruptAnnotation, "false");
    annotate("pods", pod, api::kDoNotDisruptAnnotation, "false");
    apply(disruption_budget("all", "web", "maxUnavailable: 1"));
    EXPECT_TRUE(comes_to(Matter::kDrift,
                         "leaves, because the node has drifted: NodePoolDrifted; 1 nodes go, 2 pods "
                         "move and 1 nodes are bought for them"));
    ASSERT_TRUE(until([&] { return claims().size() == 2; }, minutes{1}));
    std::string bought;
    for (const api::NodeClaim& claim : claims())
        bought += decided_of_claim(claim.meta.name, Matter::kPurchase);
    EXPECT_THAT(bought, HasSubstr("is bought for 2 pods of nodes that are to go"));
}

TEST_F(NodesDecided, a_change_that_is_taken_back_leaves_no_word_of_drift) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 30s, budgets: [{nodes: \"0\"}]");
    patch_pool(kNewTemplate);
    ASSERT_TRUE(comes_to(Matter::kDrift, "kept, because no node may be disrupted as Drifted now"));
    patch_pool(R"({"spec":{"template":{"metadata":{"labels":{"generation":"one"}}}}})");
    EXPECT_TRUE(until([&] { return decided_of_node(node_, Matter::kDrift).empty(); }, minutes{1}));
}

TEST_F(NodesDecided, a_budget_that_is_used_up_is_told_with_its_numbers) {
    apply(node_class() +
          node_pool({.requirements = of_types(sim::kFourCpus),
                     .disruption =
                         "consolidationPolicy: WhenEmpty, consolidateAfter: 1h, budgets: [{nodes: \"1\"}]"}));
    start();
    apply(deployment("web", 9, "1"));
    ASSERT_TRUE(runs(9, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    // Without pods they need no proof of one another, and only the budget keeps them.
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    world_.run_for(seconds{10});
    apply(node_class("default", "nodeRegistrationDelay: 60s"));
    patch_pool(kNewTemplate);
    const auto all = [&] {
        std::string out;
        for (const api::Node& node : nodes()) out += decided_of_node(node.meta.name, Matter::kDrift) + "\n";
        return out;
    };
    EXPECT_TRUE(until(
        [&] {
            return all().find(
                       "the budgets of NodePool default allow 1 nodes at once as Drifted, and 1 are "
                       "disrupted") != std::string::npos;
        },
        minutes{2}))
        << all();
}

TEST_F(NodesDecided, a_command_that_is_given_up_says_what_objected) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 30s, budgets: [{nodes: \"1\"}]");
    apply(node_class("default", "nodeRegistrationDelay: 60s"));
    patch_pool(kNewTemplate);
    ASSERT_TRUE(until([&] { return claims().size() == 2; }, minutes{1}));
    ASSERT_THAT(decided_of_node(node_, Matter::kDrift), HasSubstr("leaves"));
    const std::string pod = some_pod_of("web");
    annotate("pods", pod, api::kDoNotDisruptAnnotation, "true");
    EXPECT_TRUE(comes_to(Matter::kEnd, "given-up, because pod default/" + pod + " is annotated"));
    EXPECT_TRUE(comes_to(Matter::kDrift, "kept, because pod default/" + pod + " is annotated"));
}

TEST_F(NodesDecided, an_expired_node_says_what_keeps_it_and_that_it_goes) {
    come_up("consolidationPolicy: WhenEmpty, consolidateAfter: 30s, budgets: [{nodes: \"0\"}]",
            "expireAfter: 1h");
    world_.run_for(std::chrono::hours{1});
    EXPECT_TRUE(comes_to(Matter::kExpiry, "kept, because no node may be disrupted as Expired now"));
    patch_pool(R"({"spec":{"disruption":{"budgets":[{"nodes":"1"}]}}})");
    EXPECT_TRUE(comes_to(Matter::kExpiry, "leaves, because the node is older than its expireAfter"));
}

TEST_F(NodesDecided, consolidation_says_why_a_node_stays_and_what_its_going_saves) {
    apply(node_class() + node_pool({.requirements = of_types("c-16x-amd64-linux"),
                                    .disruption = "consolidationPolicy: WhenEmptyOrUnderutilized, "
                                                  "consolidateAfter: 0s, budgets: [{nodes: \"100%\"}]"}));
    start();
    apply(deployment("web", 14, "1"));
    ASSERT_TRUE(runs(14, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    node_ = first_node();
    EXPECT_TRUE(comes_to(Matter::kConsolidation, "kept, because its pods have no better place for the price",
                         minutes{10}));
    patch_pool(R"({"metadata":{"annotations":{"joiner.sh/disruption-paused":"true"}}})");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 2));
    apply(node_class() + node_pool({.requirements = of_types("c-4x-amd64-linux, c-16x-amd64-linux"),
                                    .disruption = "consolidationPolicy: WhenEmptyOrUnderutilized, "
                                                  "consolidateAfter: 0s, budgets: [{nodes: \"100%\"}]"}));
    EXPECT_TRUE(comes_to(Matter::kConsolidation, "kept, because disruption is paused", minutes{10}));
    EXPECT_THAT(decided_of_pool("default", Matter::kConsolidation), HasSubstr("closed"));
    annotate("NodePool", "default", "joiner.sh/disruption-paused", "false");
    EXPECT_TRUE(comes_to(Matter::kConsolidation, "leaves", minutes{10}));
    EXPECT_THAT(
        decided_of_node(node_, Matter::kConsolidation),
        AllOf(HasSubstr("1 nodes go, 2 pods move and 1 nodes are bought for them"),
              ContainsRegex(
                  "now 0\\.[0-9]+ \\$ an hour, after 0\\.[0-9]+, and 0\\.[0-9]+ \\$ an hour are saved")));
}

TEST_F(NodesDecided, a_sick_node_says_whether_it_is_repaired) {
    control::Options options = alone();
    options.gates.node_repair = true;
    apply(kPool);
    start(std::move(options));
    apply(deployment("web", 1, "1",
                     {.pod = "tolerations: [{key: node.kubernetes.io/unreachable, operator: Exists}]"}));
    ASSERT_TRUE(runs(1, minutes{1}));
    node_ = first_node();
    world_.stop_node(node_);
    ASSERT_TRUE(until([&] { return !world_.get("nodes", "", node_); }, minutes{15}));
    EXPECT_THAT(decided_of_node(node_, Matter::kRepair),
                HasSubstr("removed, because the node is sick: condition Ready has been Unknown"));
}

TEST_F(NodesDecided, a_static_pool_says_how_many_nodes_it_lacks) {
    control::Options options = alone();
    options.gates.static_capacity = true;
    apply(node_class() + node_pool({.name = "fixed", .spec = "replicas: 3, limits: {nodes: 2}"}));
    start(std::move(options));
    ASSERT_TRUE(until([&] { return nodes().size() == 2; }, minutes{1}));
    EXPECT_TRUE(until(
        [&] {
            return decided_of_pool("fixed", Matter::kSize).find("limited, because ") != std::string::npos;
        },
        minutes{1}));
    EXPECT_THAT(decided_of_claim(claims().front().meta.name, Matter::kPurchase),
                HasSubstr("NodePool fixed is static and has "));
    ASSERT_TRUE(world_.patch("NodePool", "", "fixed", R"({"spec":{"replicas":2}})"));
    EXPECT_TRUE(
        until([&] { return decided_of_pool("fixed", Matter::kSize).find("as-wanted") != std::string::npos; },
              minutes{1}));
}

TEST_F(NodesDecided, a_pool_says_whether_it_is_ready_and_whether_its_nodes_come_up) {
    apply(node_pool());
    start();
    EXPECT_TRUE(until(
        [&] {
            return decided_of_pool("default", Matter::kReadiness)
                       .find("not-ready, because NodeClassReady: NodeClassNotFound") != std::string::npos;
        },
        minutes{1}))
        << decided_of_pool("default", Matter::kReadiness);
    apply(node_class("default", "nodeRegistrationDelay: 24h"));
    EXPECT_TRUE(until(
        [&] { return decided_of_pool("default", Matter::kReadiness).find(": ready") != std::string::npos; },
        minutes{1}));
    apply(deployment("web", 1, "1"));
    EXPECT_TRUE(until(
        [&] {
            return decided_of_pool("default", Matter::kPurchase)
                       .find("closed, because nothing is bought from NodePool default before") !=
                   std::string::npos;
        },
        std::chrono::hours{1}));
    EXPECT_THAT(placed(some_pod_of("web")),
                HasSubstr("waits, because nothing is bought from NodePool default"));
}

}  // namespace
}  // namespace joiner
