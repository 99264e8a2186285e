// Two controllers in one cluster, told apart by the group of nodeClassRef: what is the other's is never
// touched, whatever it looks like to us. The whole controller on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

// A pool, a claim and a node that the other controller has brought up; the claim has drifted and expired.
constexpr std::string_view kTheirs = R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: theirs}
spec:
  limits: {nodes: 5}
  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 0s, budgets: [{nodes: "100%"}]}
  template:
    spec:
      expireAfter: 1m
      nodeClassRef: {group: other.example.com, kind: OtherNodeClass, name: default}
      requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
---
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata:
  name: theirs-1
  labels: {karpenter.sh/nodepool: theirs}
  finalizers: [karpenter.sh/termination]
spec:
  expireAfter: 1m
  nodeClassRef: {group: other.example.com, kind: OtherNodeClass, name: default}
  requirements: [{key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}]
---
apiVersion: v1
kind: Node
metadata:
  name: their-node
  labels:
    karpenter.sh/nodepool: theirs
    karpenter.sh/registered: "true"
    karpenter.sh/initialized: "true"
    kubernetes.io/hostname: their-node
    other.example.com/othernodeclass: default
  annotations: {kwok.x-k8s.io/node: fake}
  finalizers: [karpenter.sh/termination]
spec:
  providerID: PROVIDER-ID
  taints: [{key: karpenter.sh/disrupted, effect: NoSchedule}]
status:
  capacity: {cpu: "4", memory: 16Gi, pods: "110"}
  allocatable: {cpu: "4", memory: 16Gi, pods: "110"}
)";

class ForeignRig : public VirtualRig, public testing::WithParamInterface<std::string> {
  protected:
    void bring_theirs() {
        std::string manifest(kTheirs);
        manifest.replace(manifest.find("PROVIDER-ID"), 11, GetParam());
        apply(manifest);
        std::string conditions;
        for (const char* type : {"Launched", "Registered", "Initialized", "Drifted", "Consolidatable"}) {
            conditions += fmt::format(
                R"({}{{"type":"{}","status":"True","reason":"{}","lastTransitionTime":"2027-01-15T08:00:00Z"}})",
                conditions.empty() ? "" : ",", type, type);
        }
        ASSERT_TRUE(world_.patch("nodeclaims", "", "theirs-1",
                                 fmt::format(R"({{"status":{{"providerID":"{}","nodeName":"their-node",)"
                                             R"("conditions":[{}]}}}})",
                                             GetParam(), conditions),
                                 "status"));
    }
    std::string version(const std::string& kind, const std::string& name) const {
        const auto object = world_.get(kind, "", name);
        return object ? nlohmann::json::parse(*object)["metadata"].value("resourceVersion", "") : "gone";
    }
    api::Node their_node() const { return *api::decode_node(world_.get("nodes", "", "their-node").value()); }
};

TEST_P(ForeignRig, their_pool_claim_and_node_stay_as_they_are) {
    apply(kPool);
    bring_theirs();
    world_.run_for(seconds{10});
    const std::string pool = version("nodepools", "theirs");
    const std::string claim = version("nodeclaims", "theirs-1");
    start();
    apply(deployment("web", 10, "1"));
    EXPECT_TRUE(runs(10, minutes{1})) << "ours are served";
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    world_.run_for(minutes{20});
    EXPECT_EQ(version("nodepools", "theirs"), pool);
    EXPECT_EQ(version("nodeclaims", "theirs-1"), claim) << "empty, drifted and expired, and not ours";
    EXPECT_EQ(their_node().taints.size(), 1u) << "the mark is theirs";
    EXPECT_EQ(nodes().size(), 1u) << "ours went as empty";
    EXPECT_THAT(processes_.back()->metrics.text(), testing::Not(testing::HasSubstr("\"theirs\"")))
        << "nothing is counted of their pool";
}

TEST_P(ForeignRig, their_node_that_is_sick_is_left_to_them) {
    control::Options options = alone();
    options.gates.node_repair = true;
    apply(kPool);
    bring_theirs();
    world_.run_for(seconds{10});
    start(options);
    world_.stop_node("their-node");
    world_.run_for(minutes{40});
    EXPECT_FALSE(their_node().meta.deleted);
    const auto there = claims();
    ASSERT_EQ(there.size(), 1u);
    EXPECT_FALSE(there.front().meta.deleted);
}

TEST_P(ForeignRig, their_node_that_is_deleted_keeps_its_finalizer_and_its_pods) {
    apply(kPool);
    bring_theirs();
    start();
    apply(R"(---
apiVersion: v1
kind: Pod
metadata: {name: guest}
spec:
  nodeName: their-node
  containers: [{name: app, image: sample}]
)");
    ASSERT_TRUE(runs(1, seconds{30}));
    ASSERT_TRUE(world_.remove("nodes", "", "their-node"));
    world_.run_for(minutes{10});
    EXPECT_THAT(their_node().meta.finalizers, testing::ElementsAre("karpenter.sh/termination"));
    EXPECT_EQ(running(), 1u);
    // The other one has let go of its claim first.
    ASSERT_TRUE(world_.patch("nodeclaims", "", "theirs-1", R"({"metadata":{"finalizers":null}})"));
    ASSERT_TRUE(world_.remove("nodeclaims", "", "theirs-1"));
    world_.run_for(minutes{10});
    EXPECT_THAT(their_node().meta.finalizers, testing::ElementsAre("karpenter.sh/termination"));
    EXPECT_EQ(running(), 1u);
    EXPECT_FALSE(their_node().meta.labels.contains(std::string(api::kExcludeBalancersLabel)));
}

// Ours are told what to declare, and waited for; theirs may keep a taint that nobody declared for good.
TEST_P(ForeignRig, an_undeclared_taint_on_their_node_is_nothing_to_wait_for) {
    apply(kPool);
    bring_theirs();
    ASSERT_TRUE(world_.patch("nodes", "", "their-node",
                             R"({"spec":{"taints":[{"key":"example.com/agent","effect":"NoSchedule"}]}})"));
    start();
    apply(deployment("web", 1, "1"));
    EXPECT_TRUE(runs(1, minutes{1}));
    EXPECT_EQ(nodes().size(), 2u) << "one of ours was bought";
    EXPECT_EQ(said("NodeNotAsPromised"), "") << "on a claim and a pool of theirs";
}

// A second Joiner for another cloud closes windows like ours, and binds in them what it planned.
TEST_P(ForeignRig, nothing_is_bound_in_a_window_of_theirs) {
    apply(kPool);
    bring_theirs();
    ASSERT_TRUE(world_.patch(
        "nodes", "", "their-node",
        R"({"metadata":{"labels":{"karpenter.sh/initialized":null,"topology.kubernetes.io/zone":"test-zone-a"}},)"
        R"("spec":{"taints":[{"key":"joiner.sh/binding","effect":"NoSchedule"}]}})"));
    ASSERT_TRUE(
        world_.patch("nodeclaims", "", "theirs-1",
                     R"({"status":{"conditions":[{"type":"Registered","status":"True","reason":"Registered",)"
                     R"("lastTransitionTime":")" +
                         format_rfc3339(world_.loop().now()) + R"("}]}})",
                     "status"));
    start();
    apply(deployment(
        "web", 8, "1",
        {.pod = "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, "
                "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}]"}));
    EXPECT_TRUE(until([&] { return running() >= 4; }, minutes{1})) << "in windows of ours";
    world_.run_for(minutes{1});
    for (const std::string& text : world_.list("pods"))
        EXPECT_NE(api::decode_pod(text)->spec.node_name, "their-node");
}

// Pretend nodes of another controller have ids like ours.
INSTANTIATE_TEST_SUITE_P(Ids, ForeignRig, testing::Values("other://1", "kwok://their-node"));

}  // namespace
}  // namespace joiner
