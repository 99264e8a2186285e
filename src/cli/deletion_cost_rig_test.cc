// Deletion costs of pods, so that a scale-in falls on the nodes that should go anyway. The whole controller
// on virtual time.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;

class DeletionCostRig : public VirtualRig {
  protected:
    static control::Options with_gate() {
        control::Options out = alone();
        out.gates.pod_deletion_cost_management = true;
        return out;
    }
    // Four nodes of one size, three pods of a Deployment on each.
    void bring_up(control::Options options) {
        apply(node_class() + node_pool({.requirements = of_types("c-4x-amd64-linux"),
                                        .disruption = "consolidateAfter: 1h, budgets: [{nodes: \"2\"}]"}));
        start(std::move(options));
        apply(deployment("web", 12, "1"));
        ASSERT_TRUE(runs(12, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        ASSERT_EQ(nodes().size(), 4u);
    }
    // What the pods of each node say, by node.
    std::map<std::string, std::set<std::string>> costs() const {
        std::map<std::string, std::set<std::string>> out;
        for (const std::string& text : world_.list("pods", "default")) {
            const api::Pod pod = *api::decode_pod(text);
            out[pod.spec.node_name].insert(
                std::string(api::find_or_empty(pod.meta.annotations, api::kPodDeletionCostAnnotation)));
        }
        return out;
    }
    std::multiset<std::set<std::string>> said_by_nodes() const {
        std::multiset<std::set<std::string>> out;
        for (const auto& [node, values] : costs()) out.insert(values);
        return out;
    }
};

TEST_F(DeletionCostRig, s5_16_as_many_nodes_as_may_go_are_ranked_and_a_scale_in_empties_them) {
    bring_up(with_gate());
    ASSERT_TRUE(until([&] { return said_by_nodes().contains({"-1"}); }, minutes{2}));
    EXPECT_EQ(said_by_nodes(), (std::multiset<std::set<std::string>>{{""}, {""}, {"-2"}, {"-1"}}));
    std::set<std::string> ranked;
    for (const auto& [node, values] : costs()) {
        if (!values.contains("")) ranked.insert(node);
    }
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 6));
    ASSERT_TRUE(until([&] { return world_.count("pods") == 6; }, minutes{1}));
    for (const auto& [node, values] : costs()) EXPECT_FALSE(ranked.contains(node)) << node;
    EXPECT_THAT(processes_.back()->metrics.text(),
                HasSubstr("karpenter_pod_deletion_cost_pod_annotation_writes_total{result=\"updated\"} 6"));
}

TEST_F(DeletionCostRig, s5_16_without_the_gate_nothing_is_written) {
    bring_up(alone());
    world_.run_for(minutes{6});
    EXPECT_EQ(said_by_nodes(), (std::multiset<std::set<std::string>>{{""}, {""}, {""}, {""}}));
}

}  // namespace
}  // namespace joiner
