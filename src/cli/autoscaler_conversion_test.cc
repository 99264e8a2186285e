// What `joiner convert` makes of Auto Scaling groups and of the Cluster Autoscaler's flags.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/conversion.h"

namespace joiner::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

constexpr const char* kGroups = R"({"AutoScalingGroups": [{
  "AutoScalingGroupName": "Workers_A",
  "MinSize": 2, "MaxSize": 10, "DesiredCapacity": 3, "MaxInstanceLifetime": 604800,
  "AvailabilityZones": ["us-east-1b", "us-east-1a"],
  "VPCZoneIdentifier": "subnet-1, subnet-2",
  "PlacementGroup": "close",
  "TargetGroupARNs": ["arn:aws:elasticloadbalancing:…"],
  "MixedInstancesPolicy": {
    "LaunchTemplate": {
      "LaunchTemplateSpecification": {"LaunchTemplateName": "workers"},
      "Overrides": [{"InstanceType": "m5.xlarge"}, {"InstanceType": "m5.2xlarge", "WeightedCapacity": "2"}]},
    "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 20}},
  "Tags": [
    {"Key": "k8s.io/cluster-autoscaler/enabled", "Value": "true"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/label/team", "Value": "web"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/label/kubernetes.io/arch", "Value": "amd64"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/label/karpenter.sh/mine", "Value": "x"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/taint/dedicated", "Value": "web:NoSchedule"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/taint/agent-not-ready", "Value": ":NoExecute"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/taint/broken", "Value": "web"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage", "Value": "100Gi"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownunneededtime", "Value": "90s"},
    {"Key": "k8s.io/cluster-autoscaler/node-template/autoscaling-options/scaledownutilizationthreshold", "Value": "0.4"},
    {"Key": "kubernetes.io/cluster/prod", "Value": "owned", "PropagateAtLaunch": true},
    {"Key": "cost-centre", "Value": "7", "PropagateAtLaunch": true},
    {"Key": "note", "Value": "of the group", "PropagateAtLaunch": false}]
}]})";

std::string autoscaler(const std::string& arguments) {
    return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ca"},"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"x"},{"name":"ca","image":"registry.k8s.io/autoscaling/cluster-autoscaler:v1.30.0","command":)" +
           arguments + "}]}}}}";
}

Conversion converted(const std::string& manifests, const std::vector<std::string>& others) {
    ConversionInput input;
    input.documents = api::split_manifest(manifests, "in.yaml").value();
    for (const std::string& other : others) {
        for (api::Misread& misread : api::read_manifest(other, "groups.json").misread)
            input.others.push_back(std::move(misread));
    }
    return convert(input, api::Defaults::kWritten);
}

Json object(const Conversion& conversion, std::size_t index) {
    return Json::parse(conversion.objects.at(index));
}

TEST(ConvertGroups, a_group_becomes_a_pool_and_a_class) {
    const Conversion conversion = converted("", {kGroups});
    EXPECT_THAT(conversion.refusals, IsEmpty());
    ASSERT_EQ(conversion.objects.size(), 2U);
    EXPECT_EQ(object(conversion, 0), Json::parse(R"({
        "apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": "workers-a"},
        "spec": {
            "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "1m30s"},
            "limits": {"nodes": "10", "cpu": "80"},
            "template": {
                "metadata": {"labels": {"team": "web"}},
                "spec": {
                    "expireAfter": "168h0m0s",
                    "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "workers-a"},
                    "requirements": [
                        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["on-demand", "spot"]},
                        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]},
                        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
                        {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": ["m5.2xlarge", "m5.xlarge"]},
                        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["us-east-1a", "us-east-1b"]}],
                    "taints": [
                        {"key": "dedicated", "value": "web", "effect": "NoSchedule"},
                        {"key": "agent-not-ready", "effect": "NoExecute"}]}}}})"));
    EXPECT_EQ(object(conversion, 1), Json::parse(R"({
        "apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "workers-a"},
        "spec": {
            "role": "$KARPENTER_NODE_ROLE", "amiSelectorTerms": [{"alias": "al2023@latest"}],
            "subnetSelectorTerms": [{"id": "subnet-1"}, {"id": "subnet-2"}],
            "securityGroupSelectorTerms": [{"tags": {"kubernetes.io/cluster/prod": "*"}}],
            "placementGroupSelector": {"name": "close"}, "tags": {"cost-centre": "7"}}})"));
    for (const char* part :
         {"MinSize: 2", "WeightedCapacity", "InstancesDistribution: 1 on-demand and 20 %", "TargetGroupARNs",
          "resources/ephemeral-storage", "scaledownutilizationthreshold", "label/karpenter.sh/mine",
          "taint/broken", "launch template"}) {
        SCOPED_TRACE(part);
        EXPECT_THAT(conversion.remarks, Contains(HasSubstr(part)));
    }
}

TEST(ConvertGroups, groups_may_stand_alone_or_in_a_list_and_say_less) {
    const std::string plain =
        R"({"AutoScalingGroupName":"b","MaxSize":4,"LaunchTemplate":{"LaunchTemplateName":"t"},"Instances":[{"InstanceType":"c5.large"}]})";
    const std::string bare = R"({"AutoScalingGroupName":"c","LaunchTemplate":{"LaunchTemplateName":"t"}})";
    const Conversion one = converted("", {plain});
    EXPECT_EQ(object(one, 0)["spec"]["limits"], Json::parse(R"({"nodes":"4","cpu":"8"})"));
    EXPECT_EQ(object(one, 0)["spec"]["disruption"]["consolidateAfter"], "10m");
    EXPECT_EQ(object(one, 0)["spec"]["template"]["spec"]["expireAfter"], "Never");
    EXPECT_EQ(object(one, 1)["spec"]["securityGroupSelectorTerms"],
              Json::parse(R"([{"id":"$NODE_SECURITY_GROUP"}])"));
    const Conversion two = converted("", {"[" + plain + "," + bare + "]"});
    ASSERT_EQ(two.objects.size(), 4U);
    EXPECT_FALSE(object(two, 2)["spec"].contains("limits"));
    EXPECT_THAT(two.remarks,
                Contains(HasSubstr("group c: LaunchTemplate: the description says no instance type")));
}

TEST(ConvertGroups, attributes_become_requirements) {
    const Conversion conversion = converted(
        "",
        {R"({"AutoScalingGroupName":"b","MixedInstancesPolicy":{"InstancesDistribution":{"OnDemandPercentageAboveBaseCapacity":0},"LaunchTemplate":{"Overrides":[{"InstanceRequirements":{"VCpuCount":{"Min":4,"Max":8},"MemoryMiB":{"Min":0},"BurstablePerformance":"excluded"}}]}}})"});
    EXPECT_EQ(object(conversion, 0)["spec"]["template"]["spec"]["requirements"], Json::parse(R"([
        {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]},
        {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Gt", "values": ["3"]},
        {"key": "karpenter.k8s.aws/instance-cpu", "operator": "Lt", "values": ["9"]}])"));
    EXPECT_THAT(conversion.remarks, Contains(HasSubstr("InstanceRequirements.BurstablePerformance")));
}

TEST(ConvertGroups, what_is_no_group_is_refused) {
    EXPECT_THAT(converted("", {"{replicas: 3}"}).refusals,
                ElementsAre(HasSubstr("groups.json:1: has no kind, and describes no Auto Scaling groups")));
    EXPECT_THAT(converted("", {R"({"AutoScalingGroupName":"__"})"}).refusals,
                ElementsAre(HasSubstr("no AutoScalingGroupName that a NodePool could have")));
    EXPECT_THAT(
        converted("", {R"([{"AutoScalingGroupName":"a_b"},{"AutoScalingGroupName":"A-B"}])"}).refusals,
        Contains(HasSubstr("NodePool a-b would come out twice")));
    for (const char* odd :
         {R"({"AutoScalingGroupName":"a","Tags":7,"Instances":[1],"MixedInstancesPolicy":[],"MaxSize":"x"})",
          R"({"AutoScalingGroupName":"a","Tags":[{"Key":7}],"MaxSize":-1,"MaxInstanceLifetime":-5})"})
        EXPECT_THAT(converted("", {odd}).refusals, IsEmpty());
}

TEST(ConvertFlags, the_autoscalers_flags_go_into_the_pools) {
    const Conversion conversion = converted(
        autoscaler(
            R"(["./cluster-autoscaler","--v=4","--scale-down-unneeded-time=5m","--max-drain-parallelism","3","--max-graceful-termination-sec=900","--nodes=1:7:Workers_A","--ignore-taint=agent-not-ready","--expander=least-waste","--balance-similar-node-groups","--skip-nodes-with-local-storage=false","--frobnicate=1"])"),
        {R"({"AutoScalingGroupName":"Workers_A","MinSize":0,"MaxSize":10,"Tags":[{"Key":"k8s.io/cluster-autoscaler/node-template/taint/agent-not-ready","Value":":NoExecute"}]})"});
    const Json spec = object(conversion, 0)["spec"];
    EXPECT_EQ(spec["disruption"]["consolidateAfter"], "5m0s");
    EXPECT_EQ(
        spec["disruption"]["budgets"],
        Json::parse(
            R"([{"nodes":"3","reasons":["Underutilized"]},{"nodes":"10%","reasons":["Drifted","Expired","Unhealthy"]}])"));
    EXPECT_EQ(spec["limits"]["nodes"], "7");
    EXPECT_EQ(spec["template"]["spec"]["terminationGracePeriod"], "900s");
    EXPECT_EQ(spec["template"]["spec"]["startupTaints"],
              Json::parse(R"([{"key":"agent-not-ready","effect":"NoExecute"}])"));
    EXPECT_THAT(conversion.settings, ElementsAre(HasSubstr("--v=4: --log-level"),
                                                 HasSubstr("--scale-down-unneeded-time=5m: consolidateAfter"),
                                                 HasSubstr("--max-drain-parallelism=3: a budget"),
                                                 HasSubstr("terminationGracePeriod"),
                                                 HasSubstr("limits.nodes 7"), HasSubstr("startupTaints")));
    EXPECT_THAT(conversion.remarks, Contains(HasSubstr("--expander=least-waste: no group is chosen")));
    EXPECT_THAT(conversion.remarks,
                Contains(HasSubstr("--balance-similar-node-groups=true: one NodePool spans zones")));
    EXPECT_THAT(conversion.remarks, Contains(HasSubstr("--skip-nodes-with-local-storage=false: ")));
    EXPECT_THAT(conversion.remarks, Contains(HasSubstr("--frobnicate=1: joiner has nothing like it")));
    EXPECT_THAT(conversion.untouched, IsEmpty());
}

TEST(ConvertFlags, without_groups_the_flags_are_comments) {
    const Conversion conversion = converted(
        autoscaler(R"(["./cluster-autoscaler","--scale-down-enabled=false","--cluster-name=prod"])"), {});
    EXPECT_EQ(conversion_text(conversion, "yaml"),
              "# --scale-down-enabled=false: consolidateAfter Never of each NodePool\n"
              "# --cluster-name=prod: --cluster-name of joiner controller\n");
}

TEST(ConvertFlags, the_autoscalers_annotations_become_ours) {
    const Conversion conversion = converted(R"(
apiVersion: v1
kind: Pod
metadata: {name: a, annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "false"}}
---
apiVersion: v1
kind: Pod
metadata: {name: b, annotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "true"}}
)",
                                            {});
    ASSERT_EQ(conversion.objects.size(), 1U);
    EXPECT_EQ(object(conversion, 0)["metadata"]["annotations"],
              Json::parse(R"({"karpenter.sh/do-not-disrupt":"true"})"));
    EXPECT_THAT(conversion.untouched, ElementsAre("Pod"));
}

}  // namespace
}  // namespace joiner::cli
