// Provisioners of the first API by the whole controller in the pretend world.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// `spec`: what stands beside the class and the type that it may buy.
std::string provisioner(std::string_view spec, std::string_view name = "default") {
    return fmt::format(R"(---
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: {{name: {}}}
spec:
  providerRef: {{apiVersion: karpenter.kwok.sh/v1alpha1, kind: KWOKNodeClass, name: default}}
  requirements:
  - {{key: node.kubernetes.io/instance-type, operator: In, values: [{}]}}
{})",
                       name, sim::kFourCpus, spec);
}

class FirstApi : public VirtualRig {
  protected:
    void begin(std::string_view spec, int pods = 3) {
        apply(node_class());
        apply(provisioner(spec));
        start();
        if (pods == 0) return;
        apply(deployment("web", pods, "1"));
        ASSERT_TRUE(runs(static_cast<std::size_t>(pods), seconds{30}));
    }
    json status(const std::string& name = "default") {
        return json::parse(*world_.get("provisioners", "", name)).value("status", json::object());
    }
    std::string said_by(std::string_view condition, const std::string& name = "default") {
        const json conditions = status(name).value("conditions", json::array());
        for (const json& one : conditions) {
            if (one["type"] == condition)
                return one["status"].get<std::string>() + " " + one.value("reason", "") + ": " +
                       one.value("message", "");
        }
        return {};
    }
    bool empties(Duration limit) {
        return until([&] { return claims().empty(); }, limit);
    }
};

TEST_F(FirstApi, a_provisioner_buys_nodes_that_carry_its_name) {
    begin("  labels: {team: a}\n  taints: [{key: team, effect: PreferNoSchedule}]\n");
    ASSERT_FALSE(nodes().empty());
    const api::Node node = nodes()[0];
    EXPECT_EQ(node.meta.labels.at("karpenter.sh/provisioner-name"), "default");
    EXPECT_EQ(node.meta.labels.at("karpenter.sh/capacity-type"), "on-demand") << "the first API's default";
    EXPECT_EQ(node.meta.labels.at("kubernetes.io/arch"), "amd64");
    EXPECT_EQ(node.meta.labels.at("team"), "a");
    const api::NodeClaim claim = claims()[0];
    ASSERT_EQ(claim.meta.owners.size(), 1u);
    EXPECT_EQ(claim.meta.owners[0].kind, "Provisioner");
    EXPECT_EQ(claim.meta.owners[0].api_version, "karpenter.sh/v1alpha5");
    ASSERT_TRUE(until([&] { return status().contains("resources"); }, seconds{60}))
        << *world_.get("provisioners", "", "default");
    EXPECT_EQ(status()["resources"]["cpu"], "4");
    EXPECT_EQ(said_by("Ready"), "True Ready: ");
}

TEST_F(FirstApi, pods_find_and_avoid_its_nodes_by_its_name) {
    begin("");
    apply(deployment("picky", 1, "1", {.pod = "nodeSelector: {karpenter.sh/provisioner-name: default}"}));
    apply(deployment(
        "shy", 1, "1",
        {.pod = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                "{nodeSelectorTerms: [{matchExpressions: [{key: karpenter.sh/provisioner-name, operator: "
                "DoesNotExist}]}]}}}"}));
    world_.run_for(seconds{30});
    EXPECT_EQ(running(), 4u);
}

TEST_F(FirstApi, an_empty_node_goes_after_its_seconds_and_not_before) {
    begin("  ttlSecondsAfterEmpty: 30\n");
    ASSERT_TRUE(world_.remove("Deployment", "default", "web"));
    ASSERT_TRUE(until([&] { return world_.list("pods").empty(); }, seconds{60}));
    world_.run_for(seconds{29});
    EXPECT_FALSE(claims().empty());
    for (const api::NodeClaim& claim : claims()) EXPECT_FALSE(claim.meta.deleted);
    const auto is_leaving = [&] {
        const auto all = claims();
        return std::ranges::all_of(all, [](const auto& claim) { return claim.meta.deleted.has_value(); });
    };
    EXPECT_TRUE(until(is_leaving, seconds{2}));
}

TEST_F(FirstApi, all_empty_nodes_go_at_once) {
    begin("  ttlSecondsAfterEmpty: 30\n", 30);
    ASSERT_GE(claims().size(), 8u);
    ASSERT_TRUE(world_.remove("Deployment", "default", "web"));
    EXPECT_TRUE(empties(seconds{40}));
}

TEST_F(FirstApi, without_seconds_and_without_consolidation_nodes_stay) {
    begin("", 9);
    const std::size_t before = nodes().size();
    apply(deployment("web", 1, "1"));
    world_.run_for(minutes{60});
    EXPECT_EQ(nodes().size(), before);
}

TEST_F(FirstApi, consolidation_is_as_asked) {
    begin("  consolidation: {enabled: true}\n", 9);
    const std::size_t before = nodes().size();
    ASSERT_GE(before, 3u);
    apply(deployment("web", 3, "1"));
    EXPECT_TRUE(until([&] { return nodes().size() == 1; }, minutes{10})) << nodes().size();
}

TEST_F(FirstApi, a_node_annotated_do_not_consolidate_stays) {
    begin("  consolidation: {enabled: true}\n", 3);
    ASSERT_EQ(nodes().size(), 1u);
    const std::string name = nodes()[0].meta.name;
    ASSERT_TRUE(world_.patch("nodes", "", name,
                             R"({"metadata":{"annotations":{"karpenter.sh/do-not-consolidate":"true"}}})"));
    ASSERT_TRUE(world_.remove("Deployment", "default", "web"));
    world_.run_for(minutes{10});
    EXPECT_EQ(nodes().size(), 1u);
    EXPECT_THAT(decided_of_node(name, observe::Matter::kEmptiness), HasSubstr("do-not-consolidate"));
}

TEST_F(FirstApi, a_node_goes_when_it_is_too_old) {
    begin("  ttlSecondsUntilExpired: 600\n");
    const std::string first = claims()[0].meta.name;
    world_.run_for(minutes{9});
    EXPECT_EQ(claims()[0].meta.name, first);
    EXPECT_TRUE(until(
        [&] {
            const auto all = claims();
            return running() == 3 &&
                   std::ranges::none_of(all, [&](const auto& claim) { return claim.meta.name == first; });
        },
        minutes{5}));
}

TEST_F(FirstApi, do_not_evict_keeps_a_pod_and_its_node) {
    begin("  ttlSecondsUntilExpired: 600\n  consolidation: {enabled: true}\n", 0);
    apply(R"(---
apiVersion: v1
kind: Pod
metadata: {name: precious, namespace: default, annotations: {karpenter.sh/do-not-evict: "true"}}
spec:
  containers: [{name: a, image: a, resources: {requests: {cpu: "1"}}}]
)");
    ASSERT_TRUE(runs(1, seconds{30}));
    const std::string node = nodes()[0].meta.name;
    world_.run_for(minutes{30});
    ASSERT_EQ(running(), 1u);
    EXPECT_EQ(nodes()[0].meta.name, node);
    EXPECT_FALSE(world_.list("pods").empty());
}

TEST_F(FirstApi, limits_hold) {
    begin("  limits: {resources: {cpu: 8}}\n", 0);
    apply(deployment("web", 30, "1"));
    world_.run_for(minutes{2});
    EXPECT_EQ(nodes().size(), 2u);
}

TEST_F(FirstApi, its_nodes_go_with_it) {
    begin("");
    ASSERT_TRUE(world_.remove("Provisioner", "", "default"));
    EXPECT_TRUE(empties(minutes{5}));
    EXPECT_TRUE(nodes().empty());
}

TEST_F(FirstApi, a_node_pool_of_the_same_name_comes_first_and_the_provisioner_says_so) {
    begin("", 0);
    apply(node_pool({.requirements = of_types(sim::kFourCpus)}));
    apply(deployment("web", 3, "1"));
    ASSERT_TRUE(runs(3, seconds{30}));
    EXPECT_FALSE(nodes()[0].meta.labels.contains("karpenter.sh/provisioner-name"));
    ASSERT_TRUE(until([&] { return said_by("ValidationSucceeded").starts_with("False"); }, seconds{30}));
    EXPECT_THAT(said_by("ValidationSucceeded"), HasSubstr("NameTaken: NodePool default has the same name"));
    ASSERT_TRUE(world_.remove("NodePool", "", "default"));
    EXPECT_TRUE(until([&] { return said_by("Ready").starts_with("True"); }, seconds{30})) << said_by("Ready");
}

TEST_F(FirstApi, a_node_pool_takes_a_provisioners_place_and_its_nodes) {
    begin("", 9);
    std::set<std::string> before;
    for (const api::Node& node : nodes()) before.insert(node.meta.name);
    apply(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      expireAfter: Never
      requirements:
      - {key: kubernetes.io/os, operator: In, values: [linux]}
      - {key: kubernetes.io/arch, operator: In, values: [amd64]}
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: Never}
)");
    ASSERT_TRUE(until(
        [&] {
            const auto all = claims();
            return std::ranges::all_of(
                all, [](const auto& claim) { return claim.meta.owners[0].kind == "NodePool"; });
        },
        seconds{30}));
    ASSERT_TRUE(world_.remove("Provisioner", "", "default"));
    world_.run_for(minutes{20});
    std::set<std::string> after;
    for (const api::Node& node : nodes()) after.insert(node.meta.name);
    EXPECT_EQ(after, before) << "no node was replaced";
    EXPECT_EQ(running(), 9u);
}

TEST_F(FirstApi, one_that_needs_a_cloud_that_is_not_here_says_so_and_others_go_on) {
    begin("");
    apply(R"(---
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: {name: aws}
spec: {provider: {instanceProfile: p, subnetSelector: {a: b}, securityGroupSelector: {a: b}}}
)");
    ASSERT_TRUE(until([&] { return !said_by("Ready", "aws").empty(); }, seconds{30}));
    EXPECT_THAT(said_by("NodeClassReady", "aws"), HasSubstr("EC2NodeClass"));
    apply(deployment("more", 5, "1"));
    EXPECT_TRUE(runs(8, seconds{30}));
}

}  // namespace
}  // namespace joiner
