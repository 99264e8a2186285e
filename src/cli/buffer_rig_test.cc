// CapacityBuffers and the whole controller on virtual time.
#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

const std::string kFourCores = node_class() + node_pool({.requirements = of_types(sim::kFourCpus)});

// Three cores: one a node.
constexpr std::string_view kTemplate = R"(
apiVersion: v1
kind: PodTemplate
metadata: {name: large}
template:
  spec: {containers: [{name: c, image: i, resources: {requests: {cpu: "3"}}}]}
)";

std::string buffer(const std::string& name, const std::string& spec) {
    return fmt::format(
        "{{apiVersion: autoscaling.x-k8s.io/v1beta1, kind: CapacityBuffer, metadata: {{name: {}}}, spec: "
        "{}}}",
        name, spec);
}

class BufferRig : public VirtualRig {
  protected:
    static control::Options with_buffers() {
        control::Options out = alone();
        out.gates.capacity_buffer = true;
        return out;
    }

    // "ReadyForProvisioning=True:Resolved Provisioning=True:FitsExistingCapacity replicas=2"
    std::string status_of(const std::string& name) const {
        const auto decoded =
            api::decode_capacity_buffer(world_.get("capacitybuffers", "default", name).value_or("{}"));
        if (!decoded) return decoded.error().message;
        std::string out;
        for (const api::Condition& one : decoded->conditions)
            out += fmt::format("{}={}:{} ", one.type, one.status, one.reason);
        return out + fmt::format("replicas={}", decoded->status_replicas.value_or(-1));
    }
    bool says(const std::string& name, const std::string& status) {
        return until([&] { return status_of(name) == status; }, minutes{1});
    }
    // Claims on their way count as room, as for Karpenter.
    bool has_room(const std::string& name, int replicas, std::size_t nodes) {
        const std::string fits = fmt::format(
            "ReadyForProvisioning=True:Resolved Provisioning=True:FitsExistingCapacity replicas={}",
            replicas);
        return until([&] { return status_of(name) == fits && nodes_up() == nodes; }, minutes{1});
    }
    std::size_t nodes_up() const {
        std::size_t out = 0;
        for (const api::Node& node : nodes())
            out += api::find_or_empty(node.meta.labels, api::kInitializedLabel) == "true" ? 1 : 0;
        return out;
    }
};

TEST_F(BufferRig, room_is_bought_kept_and_never_bound) {
    apply(kFourCores);
    apply(kTemplate);
    start(with_buffers());
    apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 2}"));
    EXPECT_TRUE(has_room("spare", 2, 2)) << status_of("spare");
    // Much longer than empty nodes stay.
    world_.run_for(minutes{3});
    EXPECT_EQ(nodes_up(), 2u);
    EXPECT_EQ(world_.count("pods"), 0u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
    ASSERT_TRUE(world_.remove("capacitybuffers", "default", "spare"));
    EXPECT_TRUE(until([&] { return nodes().empty(); }, minutes{3}));
}

TEST_F(BufferRig, a_pod_takes_the_room_at_once_and_it_is_bought_again) {
    apply(kFourCores);
    apply(kTemplate);
    start(with_buffers());
    apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 1}"));
    ASSERT_TRUE(has_room("spare", 1, 1)) << status_of("spare");
    const std::string first = nodes().front().meta.name;
    apply(deployment("web", 1, "3"));
    ASSERT_TRUE(runs(1, seconds{2}));
    const api::Pod pod = *api::decode_pod(world_.list("pods").front());
    EXPECT_EQ(pod.spec.node_name, first);
    EXPECT_TRUE(until([&] { return nodes_up() == 2; }, seconds{20}));
    EXPECT_TRUE(has_room("spare", 1, 2)) << status_of("spare");
    world_.run_for(minutes{2});
    EXPECT_EQ(nodes_up(), 2u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(BufferRig, a_share_of_a_workload_follows_its_replicas) {
    apply(kFourCores);
    start(with_buffers());
    apply(deployment("web", 4, "3"));
    apply(buffer("spare", "{scalableRef: {kind: Deployment, name: web}, percentage: 50}"));
    ASSERT_TRUE(has_room("spare", 2, 6)) << status_of("spare");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 8));
    EXPECT_TRUE(has_room("spare", 4, 12)) << status_of("spare");
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    EXPECT_TRUE(says("spare", "ReadyForProvisioning=True:Resolved Provisioning=False:BufferEmpty replicas=0"))
        << status_of("spare");
    EXPECT_TRUE(until([&] { return nodes().empty(); }, minutes{3}));
}

TEST_F(BufferRig, what_cannot_be_resolved_is_said_and_mended_when_it_can) {
    apply(kFourCores);
    start(with_buffers());
    apply(buffer("lost", "{podTemplateRef: {name: large}, replicas: 1}"));
    apply(buffer("unscaled", "{scalableRef: {kind: Deployment, name: web}, replicas: 1}"));
    apply(buffer("odd", "{scalableRef: {kind: Job, name: web, apiGroup: batch}, replicas: 1}"));
    apply(buffer("nothing", "{replicas: 1}"));
    const auto not_ready = [](const std::string& reason) {
        return "ReadyForProvisioning=False:" + reason +
               " Provisioning=False:NotReadyForProvisioning replicas=-1";
    };
    EXPECT_TRUE(says("lost", not_ready("PodTemplateNotFound"))) << status_of("lost");
    EXPECT_TRUE(says("unscaled", not_ready("ScalableRefNotFound"))) << status_of("unscaled");
    EXPECT_TRUE(says("odd", not_ready("ResolutionFailed"))) << status_of("odd");
    EXPECT_TRUE(says("nothing", not_ready("ResolutionFailed"))) << status_of("nothing");
    EXPECT_TRUE(nodes().empty());
    apply(kTemplate);
    EXPECT_TRUE(has_room("lost", 1, 1)) << status_of("lost");
}

// A pool that may have two nodes: pods come first, and the buffer says that its room is missing.
TEST_F(BufferRig, under_limits_pods_come_first) {
    apply(kFourCores);
    ASSERT_TRUE(world_.patch("nodepools", "", "default", R"({"spec":{"limits":{"nodes":"2"}}})"));
    apply(kTemplate);
    start(with_buffers());
    apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 2}"));
    ASSERT_TRUE(has_room("spare", 2, 2)) << status_of("spare");
    apply(deployment("web", 2, "3"));
    EXPECT_TRUE(runs(2, seconds{10}));
    EXPECT_TRUE(
        says("spare", "ReadyForProvisioning=True:Resolved Provisioning=False:RequiresNewCapacity replicas=2"))
        << status_of("spare");
    EXPECT_EQ(nodes_up(), 2u);
}

TEST_F(BufferRig, it_is_killed_at_any_moment_and_buys_nothing_twice) {
    for (int moment = 0; moment < 12; ++moment) {
        apply(kFourCores);
        apply(kTemplate);
        start(with_buffers());
        apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 3}"));
        world_.run_for(std::chrono::milliseconds{150} * moment);
        kill();
        world_.run_for(seconds{1});
        start(with_buffers());
        EXPECT_TRUE(has_room("spare", 3, 3)) << status_of("spare") << ", killed after " << moment;
        world_.run_for(seconds{30});
        EXPECT_EQ(nodes_up(), 3u) << "killed after " << moment;
        ASSERT_TRUE(world_.remove("capacitybuffers", "default", "spare"));
        ASSERT_TRUE(until([&] { return nodes().empty() && claims().empty(); }, minutes{3}));
        kill();
    }
}

// Consolidation would gather the pods on one node, and provisioning buy the room again.
TEST_F(BufferRig, with_consolidation_on_all_comes_to_rest) {
    apply(kFourCores);
    ASSERT_TRUE(
        world_.patch("nodepools", "", "default",
                     R"({"spec":{"disruption":{"consolidationPolicy":"WhenEmptyOrUnderutilized"}}})"));
    apply(kTemplate);
    start(with_buffers());
    apply(deployment("web", 6, "1"));
    ASSERT_TRUE(runs(6, seconds{10}));
    apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 2}"));
    ASSERT_TRUE(until([&] { return status_of("spare").find("True:Fits") != std::string::npos; }, minutes{1}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 3));
    world_.run_for(minutes{20});
    std::vector<std::string> names;
    for (const api::Node& node : nodes()) names.push_back(node.meta.name);
    world_.run_for(minutes{30});
    std::vector<std::string> later;
    for (const api::Node& node : nodes()) later.push_back(node.meta.name);
    EXPECT_EQ(names, later);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(BufferRig, without_the_gate_nobody_looks_at_buffers) {
    apply(kFourCores);
    apply(kTemplate);
    start();
    apply(buffer("spare", "{podTemplateRef: {name: large}, replicas: 2}"));
    world_.run_for(minutes{1});
    EXPECT_TRUE(nodes().empty());
    EXPECT_EQ(status_of("spare"), "replicas=-1");
}

}  // namespace
}  // namespace joiner
