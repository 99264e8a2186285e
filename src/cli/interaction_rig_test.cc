// Which trigger heeds what speaks against the end of a node, as a table: the whole controller on virtual
// time, and a pool for each thing that speaks against it. The name carries the section of Karpenter's
// behaviour.
#include <ostream>
#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using std::chrono::hours;

// Each is a pool with one node: nothing speaks against its end, or only what the name says.
const std::vector<std::string> kPools = {"nothing", "budget", "node", "pod", "pdb"};
constexpr std::string_view kKeep = R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})";

class Interaction : public VirtualRig {
  protected:
    // A node of sixteen CPUs in each pool, with fourteen pods and a daemon.
    void bring_up(const std::string& template_spec = {}, control::Options options = alone()) {
        apply(node_class());
        for (const std::string& pool : kPools) {
            apply(
                node_pool({.name = pool,
                           .requirements = of_types("c-4x-amd64-linux, c-16x-amd64-linux"),
                           .template_spec = template_spec,
                           .disruption = fmt::format("consolidateAfter: Never, budgets: [{{nodes: \"{}\"}}]",
                                                     pool == "budget" ? "0" : "100%")}));
            apply(deployment("web-" + pool, 14, "1",
                             {.memory = "128Mi",
                              .pod = fmt::format("nodeSelector: {{karpenter.sh/nodepool: {}}}", pool)}));
            apply(daemon(pool));
        }
        apply(disruption_budget("pdb", "daemon-pdb", "minAvailable: 1"));
        start(std::move(options));
        ASSERT_TRUE(runs(75, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        for (const api::Node& node : nodes())
            nodes_[std::string(api::find_or_empty(node.meta.labels, api::kNodePoolLabel))] = node.meta.name;
        ASSERT_EQ(nodes().size(), kPools.size());
        ASSERT_EQ(nodes_.size(), kPools.size());
        ASSERT_TRUE(world_.patch("nodes", "", nodes_["node"], kKeep));
        for (const std::string& text : world_.list("pods", "default")) {
            const api::Pod pod = *api::decode_pod(text);
            if (api::find_or_empty(pod.meta.labels, "app") == "daemon-pod") {
                ASSERT_TRUE(world_.patch("pods", "default", pod.meta.name, kKeep));
            }
        }
        world_.run_for(seconds{20});
    }
    static std::string daemon(const std::string& pool) {
        return fmt::format(R"(---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: daemon-{0}}}
spec:
  selector: {{matchLabels: {{app: daemon-{0}}}}}
  template:
    metadata: {{labels: {{app: daemon-{0}}}}}
    spec:
      nodeSelector: {{karpenter.sh/nodepool: {0}}}
      containers: [{{name: app, image: sample, resources: {{requests: {{cpu: 100m}}}}}}]
)",
                           pool);
    }
    void patch_pools(std::string_view patch) {
        for (const std::string& pool : kPools) ASSERT_TRUE(world_.patch("NodePool", "", pool, patch));
    }
    void scale_all(int replicas) {
        for (const std::string& pool : kPools)
            ASSERT_TRUE(world_.scale("Deployment", "default", "web-" + pool, replicas));
        ASSERT_TRUE(until(
            [&] { return world_.count("pods") == kPools.size() * static_cast<std::size_t>(1 + replicas); },
            minutes{1}));
    }
    // The pools whose first node is on its way out, or gone, within `limit`.
    std::set<std::string> begun(Duration limit) {
        std::set<std::string> out;
        for (Duration waited{0}; waited < limit; waited += seconds{2}) {
            world_.run_for(seconds{2});
            for (const auto& [pool, name] : nodes_) {
                const auto text = world_.get("nodes", "", name);
                if (!text ||
                    rules::has_taint(api::decode_node(*text)->taints, api::kDisruptedTaint, api::kNoSchedule))
                    out.insert(pool);
            }
        }
        return out;
    }
    static std::set<std::string> all() { return {kPools.begin(), kPools.end()}; }

    std::map<std::string, std::string> nodes_;
};

TEST_F(Interaction, s5_15_emptiness_heeds_all_of_it) {
    bring_up();
    scale_all(0);
    patch_pools(R"({"spec":{"disruption":{"consolidateAfter":"0s","consolidationPolicy":"WhenEmpty"}}})");
    EXPECT_EQ(begun(minutes{5}), std::set<std::string>{"nothing"});
}

TEST_F(Interaction, s5_15_consolidation_heeds_all_of_it) {
    bring_up();
    scale_all(2);
    patch_pools(R"({"spec":{"disruption":{"consolidateAfter":"0s"}}})");
    EXPECT_EQ(begun(minutes{5}), std::set<std::string>{"nothing"});
}

constexpr std::string_view kNewTemplate =
    R"({"spec":{"template":{"metadata":{"labels":{"generation":"two"}}}}})";

TEST_F(Interaction, s5_15_drift_heeds_all_of_it) {
    bring_up();
    patch_pools(kNewTemplate);
    EXPECT_EQ(begun(minutes{5}), std::set<std::string>{"nothing"});
}

TEST_F(Interaction, s5_15_drift_passes_over_pods_whose_end_a_grace_period_bounds) {
    bring_up("terminationGracePeriod: 1h");
    patch_pools(kNewTemplate);
    EXPECT_EQ(begun(minutes{5}), (std::set<std::string>{"nothing", "pod", "pdb"}));
}

// Karpenter's passes over budgets too.
TEST_F(Interaction, s5_15_expiry_heeds_budgets_only) {
    bring_up("expireAfter: 1h");
    world_.run_for(minutes{55});
    EXPECT_EQ(begun(minutes{15}), (std::set<std::string>{"nothing", "node", "pod", "pdb"}));
}

// The policies for nodes that are not Ready bound the drain, so pods and their budgets do not matter.
TEST_F(Interaction, s5_15_repair_heeds_budgets_only) {
    control::Options options = alone();
    options.gates.node_repair = true;
    bring_up({}, options);
    for (const auto& [pool, node] : nodes_) world_.stop_node(node);
    EXPECT_EQ(begun(minutes{15}), (std::set<std::string>{"nothing", "node", "pod", "pdb"}));
}

TEST_F(Interaction, s5_15_repair_by_force_heeds_nothing) {
    control::Options options = alone();
    options.gates.node_repair = true;
    options.legacy_node_repair = true;
    bring_up({}, options);
    for (const auto& [pool, node] : nodes_) world_.stop_node(node);
    EXPECT_EQ(begun(minutes{15}), all());
}

TEST_F(Interaction, s5_15_a_deletion_by_hand_heeds_nothing) {
    bring_up();
    for (const api::NodeClaim& claim : claims())
        ASSERT_TRUE(world_.remove("nodeclaims", "", claim.meta.name));
    EXPECT_EQ(begun(minutes{2}), all());
}

}  // namespace
}  // namespace joiner
