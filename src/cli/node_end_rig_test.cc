// How a node ends, rule by rule: the names carry the section of Karpenter's behaviour they hold. The whole
// controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;

// Nodes of four CPUs, whose drain is bounded by `grace` unless that is empty.
std::string pool(const std::string& grace) {
    return node_class() +
           node_pool({.requirements = of_types(sim::kFourCpus),
                      .template_spec = grace.empty() ? "" : "terminationGracePeriod: " + grace,
                      .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: Never"});
}

class NodeEndRig : public VirtualRig {
  protected:
    // Three pods on the one node this returns.
    std::string one_node(const std::string& grace = {}) {
        apply(pool(grace));
        start();
        apply(deployment("web", 3, "1"));
        EXPECT_TRUE(runs(3, seconds{30}));
        EXPECT_EQ(disorder_after(minutes{1}), "");
        return nodes().front().meta.name;
    }
    bool is_gone(const std::string& node) const { return !world_.get("nodes", "", node); }
    bool goes(const std::string& node, Duration limit) {
        return until([&] { return is_gone(node); }, limit);
    }
    std::string pod_on(const std::string& node) const {
        for (const std::string& text : world_.list("pods", "default")) {
            const api::Pod pod = *api::decode_pod(text);
            if (pod.spec.node_name == node) return pod.meta.name;
        }
        return {};
    }
    bool has_pod(const std::string& name) const { return world_.get("pods", "default", name).has_value(); }
    void annotate_pod(const std::string& pod, const std::string& value) {
        ASSERT_TRUE(world_.patch("pods", "default", pod,
                                 fmt::format(R"({{"metadata":{{"annotations":{{"{}":"{}"}}}}}})",
                                             api::kDoNotDisruptAnnotation, value)));
    }
    api::Condition condition(const std::string& type) const {
        for (const api::NodeClaim& claim : claims()) {
            const api::Condition* found = api::find_condition(claim.conditions, type);
            if (claim.meta.deleted && found != nullptr) return *found;
        }
        return {};
    }
    void attach(const std::string& node, const std::string& volume) {
        apply(
            fmt::format("{{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, metadata: {{name: a-{1}}}, "
                        "spec: {{attacher: x, nodeName: {0}, source: {{persistentVolumeName: {1}}}}}}}",
                        node, volume));
    }
    void budget(const std::string& name, const std::string& most) {
        apply(disruption_budget(name, "web", "maxUnavailable: " + most));
        world_.run_for(seconds{1});
    }
};

TEST_F(NodeEndRig, s4_3_a_node_on_its_way_out_is_tainted_and_leaves_the_load_balancers) {
    const std::string node = one_node();
    annotate_pod(pod_on(node), "true");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    world_.run_for(seconds{5});
    const api::Node there = *api::decode_node(world_.get("nodes", "", node).value());
    EXPECT_TRUE(rules::has_taint(there.taints, api::kDisruptedTaint, api::kNoSchedule));
    EXPECT_EQ(
        api::find_or_empty(there.meta.labels, "node.kubernetes.io/exclude-from-external-load-balancers"),
        "karpenter");
}

TEST_F(NodeEndRig, s4_3_do_not_disrupt_holds_the_drain_until_it_is_taken_off) {
    const std::string node = one_node();
    const std::string held = pod_on(node);
    annotate_pod(held, "true");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{10}));
    EXPECT_TRUE(has_pod(held));
    EXPECT_EQ(condition("Drained").reason, "Draining");
    EXPECT_THAT(said("FailedDraining"), HasSubstr(held));
    annotate_pod(held, "false");
    EXPECT_TRUE(goes(node, minutes{1}));
}

TEST_F(NodeEndRig, s4_3_do_not_disrupt_may_be_a_time_from_the_pods_start) {
    const std::string node = one_node();
    annotate_pod(pod_on(node), "10m");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{9}));
    EXPECT_TRUE(goes(node, minutes{2}));
}

TEST_F(NodeEndRig, s4_3_an_annotation_that_says_nothing_is_named_and_passed_over) {
    const std::string node = one_node();
    annotate_pod(pod_on(node), "forever");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_TRUE(goes(node, minutes{1}));
    EXPECT_THAT(said("InvalidDoNotDisruptAnnotation"), HasSubstr("forever"));
}

TEST_F(NodeEndRig, s4_3_past_the_termination_grace_period_pods_are_deleted_whoever_objects) {
    const std::string node = one_node("5m");
    const std::string held = pod_on(node);
    annotate_pod(held, "true");
    budget("none", "0");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{4}));
    EXPECT_TRUE(has_pod(held));
    EXPECT_TRUE(goes(node, minutes{2}));
    EXPECT_GT(world_.event_reasons()["TerminationGracePeriodExpiring"], 0u);
    EXPECT_GT(world_.event_reasons()["Disrupted"], 0u);
}

TEST_F(NodeEndRig, s4_3_a_budget_that_allows_none_is_named_with_the_pod) {
    const std::string node = one_node();
    budget("none", "0");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{5}));
    EXPECT_THAT(said("FailedDraining"), HasSubstr("PodDisruptionBudget none"));
    ASSERT_TRUE(world_.remove("poddisruptionbudgets", "default", "none"));
    EXPECT_TRUE(goes(node, minutes{1}));
}

TEST_F(NodeEndRig, s4_3_a_pod_with_two_budgets_is_named_with_both) {
    const std::string node = one_node();
    budget("first", "100%");
    budget("second", "100%");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{5}));
    EXPECT_THAT(said("FailedDraining"), HasSubstr("(first, second)"));
    ASSERT_TRUE(world_.remove("poddisruptionbudgets", "default", "second"));
    EXPECT_TRUE(goes(node, minutes{1}));
}

TEST_F(NodeEndRig, s4_3_a_budget_that_matches_nothing_holds_nothing_up) {
    const std::string node = one_node();
    apply(disruption_budget("nobody", "nobody", "minAvailable: 100%"));
    world_.run_for(seconds{1});
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_TRUE(goes(node, minutes{1}));
    EXPECT_EQ(world_.event_reasons()["FailedDraining"], 0u);
}

TEST_F(NodeEndRig, s4_3_volumes_come_off_before_the_instance_goes) {
    const std::string node = one_node();
    attach(node, "pv-1");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{10}));
    EXPECT_EQ(condition("Drained").status, "True");
    EXPECT_EQ(condition("VolumesDetached").reason, "AwaitingVolumeDetachment");
    EXPECT_THAT(said("AwaitingVolumeDetachment"), HasSubstr("pv-1"));
    ASSERT_TRUE(world_.remove("volumeattachments", "", "a-pv-1"));
    EXPECT_TRUE(goes(node, seconds{10}));
}

TEST_F(NodeEndRig, s4_3_an_attachment_that_stays_ends_with_the_grace_period) {
    const std::string node = one_node("5m");
    attach(node, "pv-1");
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_FALSE(goes(node, minutes{4}));
    EXPECT_TRUE(goes(node, minutes{2}));
}

TEST_F(NodeEndRig, s4_3_one_node_that_cannot_go_holds_no_other_up) {
    const std::string node = one_node();
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 6));
    ASSERT_TRUE(runs(6, seconds{30}));
    ASSERT_EQ(nodes().size(), 2u);
    attach(node, "pv-1");
    const std::vector<api::Node> both = nodes();
    for (const api::Node& each : both) ASSERT_TRUE(world_.remove("nodes", "", each.meta.name));
    for (const api::Node& each : both) {
        if (each.meta.name != node) {
            EXPECT_TRUE(goes(each.meta.name, minutes{1}));
        }
    }
    EXPECT_TRUE(runs(6, minutes{1}));
    EXPECT_FALSE(is_gone(node));
}

TEST_F(NodeEndRig, s4_3_a_pod_with_a_finalizer_that_never_goes_is_named_and_holds_up_nothing) {
    const std::string node = one_node();
    const std::string stuck = pod_on(node);
    ASSERT_TRUE(
        world_.patch("pods", "default", stuck, R"({"metadata":{"finalizers":["example.com/never"]}})"));
    ASSERT_TRUE(world_.remove("nodes", "", node));
    EXPECT_TRUE(goes(node, minutes{3}));
    EXPECT_THAT(said("FailedDraining"), HasSubstr(stuck));
    EXPECT_TRUE(has_pod(stuck));
}

TEST_F(NodeEndRig, s4_2_a_claim_deleted_by_hand_takes_its_node_along) {
    const std::string node = one_node();
    ASSERT_TRUE(world_.remove("nodeclaims", "", claims().front().meta.name));
    EXPECT_TRUE(goes(node, minutes{1}));
    EXPECT_TRUE(runs(3, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

}  // namespace
}  // namespace joiner
