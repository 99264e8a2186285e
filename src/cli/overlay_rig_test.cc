// NodeOverlays and the whole controller on virtual time.
#include <fstream>
#include <iterator>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

// "ValidationSucceeded=True:ValidationSucceeded Ready=True:Ready"
std::string conditions_of(const std::optional<std::string>& overlay) {
    std::string out;
    const auto decoded = api::decode_node_overlay(overlay.value_or("{}"));
    if (!decoded) return decoded.error().message;
    for (const api::Condition& one : decoded->conditions)
        out += fmt::format("{}{}={}:{}", out.empty() ? "" : " ", one.type, one.status, one.reason);
    return out;
}

class OverlayRig : public VirtualRig {
  protected:
    explicit OverlayRig(sim::ClusterOptions options = {}) : VirtualRig(std::move(options)) {}

    static control::Options with_overlays() {
        control::Options out = alone();
        out.gates.node_overlay = true;
        return out;
    }

    std::string type_of_the_node() const {
        const std::vector<api::Node> all = nodes();
        return all.size() == 1
                   ? std::string(api::find_or_empty(all.front().meta.labels, api::kInstanceTypeLabel))
                   : fmt::format("{} nodes", all.size());
    }
};

constexpr std::string_view kCheapGiant = R"(
apiVersion: karpenter.sh/v1alpha1
kind: NodeOverlay
metadata: {name: paid-for}
spec:
  requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [c-64x-amd64-linux]}]
  price: "0.001"
)";

TEST_F(OverlayRig, a_price_that_an_overlay_sets_decides_what_is_bought_and_launched) {
    apply(kPool);
    apply(kCheapGiant);
    start(with_overlays());
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(runs(1, seconds{10}));
    EXPECT_EQ(type_of_the_node(), "c-64x-amd64-linux");
    EXPECT_EQ(api::find_or_empty(claims().front().meta.annotations, api::kPriceOverlayAnnotation), "true");
    EXPECT_EQ(api::find_or_empty(claims().front().meta.annotations, api::kCapacityOverlayAnnotation), "");
    EXPECT_EQ(conditions_of(world_.get("nodeoverlays", "", "paid-for")),
              "ValidationSucceeded=True:ValidationSucceeded Ready=True:Ready");
}

TEST_F(OverlayRig, without_the_gate_nobody_looks_at_overlays) {
    apply(kPool);
    apply(kCheapGiant);
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(runs(1, seconds{10}));
    EXPECT_NE(type_of_the_node(), "c-64x-amd64-linux");
    EXPECT_EQ(conditions_of(world_.get("nodeoverlays", "", "paid-for")), "");
    EXPECT_EQ(api::find_or_empty(claims().front().meta.annotations, api::kPriceOverlayAnnotation), "");
}

// The pod waits until an overlay says that there is such a thing.
TEST_F(OverlayRig, a_capacity_that_comes_later_is_bought) {
    apply(kPool);
    start(with_overlays());
    apply(R"({apiVersion: v1, kind: Pod, metadata: {name: mounts}, spec: {containers: [{name: c, image: i,
 resources: {requests: {cpu: "1", example.com/fuse: "1"}, limits: {example.com/fuse: "1"}}}]}})");
    world_.run_for(seconds{30});
    ASSERT_TRUE(claims().empty());
    apply(R"({apiVersion: karpenter.sh/v1alpha1, kind: NodeOverlay, metadata: {name: fuse}, spec:
 {requirements: [{key: kubernetes.io/arch, operator: In, values: [amd64]}], capacity: {example.com/fuse: "5"}}})");
    EXPECT_TRUE(runs(1, seconds{30}));
    EXPECT_EQ(api::find_or_empty(claims().front().meta.annotations, api::kCapacityOverlayAnnotation), "true");
}

TEST_F(OverlayRig, an_overlay_that_is_not_applied_says_why_and_recovers) {
    apply(kPool);
    start(with_overlays());
    apply(kCheapGiant);
    apply(R"({apiVersion: karpenter.sh/v1alpha1, kind: NodeOverlay, metadata: {name: another}, spec:
 {requirements: [{key: kubernetes.io/os, operator: In, values: [linux]}], priceAdjustment: "+1%"}})");
    EXPECT_TRUE(until(
        [&] {
            return conditions_of(world_.get("nodeoverlays", "", "another")) ==
                   "ValidationSucceeded=False:Conflict Ready=False:UnhealthyDependents";
        },
        seconds{5}))
        << conditions_of(world_.get("nodeoverlays", "", "another"));
    ASSERT_TRUE(world_.remove("nodeoverlays", "", "paid-for"));
    EXPECT_TRUE(until(
        [&] {
            return conditions_of(world_.get("nodeoverlays", "", "another")) ==
                   "ValidationSucceeded=True:ValidationSucceeded Ready=True:Ready";
        },
        seconds{5}))
        << conditions_of(world_.get("nodeoverlays", "", "another"));
}

sim::ClusterOptions bare() {
    sim::ClusterOptions out;
    out.with_custom_resources = false;
    return out;
}

class WithoutTheKind : public OverlayRig {
  protected:
    WithoutTheKind() : OverlayRig(bare()) {}

    static std::string definition(const std::string& name) {
        std::ifstream in(std::string(JOINER_SOURCE_DIR) + "/deploy/crds/" + name + ".yaml");
        return {std::istreambuf_iterator<char>(in), {}};
    }
};

TEST_F(WithoutTheKind, a_cluster_without_the_kind_works_and_one_that_gets_it_later_heeds_it) {
    for (const char* name :
         {"karpenter.kwok.sh_kwoknodeclasses", "karpenter.sh_nodeclaims", "karpenter.sh_nodepools"})
        apply(definition(name));
    apply(kPool);
    start(with_overlays());
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(runs(1, seconds{10}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return nodes().empty(); }, minutes{2}));
    apply(definition("karpenter.sh_nodeoverlays"));
    apply(kCheapGiant);
    world_.run_for(minutes{1});
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 1));
    ASSERT_TRUE(runs(1, seconds{10}));
    EXPECT_EQ(type_of_the_node(), "c-64x-amd64-linux");
}

}  // namespace
}  // namespace joiner
