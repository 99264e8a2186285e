#include "sim/manifest_judge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/manifest.h"
#include "embedded_crds.h"

namespace joiner::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> mistakes(const std::string& yaml) {
    static const ManifestJudge judge;
    std::vector<std::string> out;
    const auto documents = api::split_manifest(yaml, "file").value();
    for (const api::Document& document : documents) {
        const Judgement judgement = judge.judge(document.api_version, document.kind, document.json);
        if (!judgement.is_known_kind) out.push_back("not looked at");
        for (const Mistake& mistake : judgement.mistakes) out.push_back(mistake.field + ": " + mistake.what);
    }
    return out;
}

std::string pool(const std::string& spec, const std::string& metadata = "name: a") {
    return "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {" + metadata + "}\nspec: {" + spec +
           "}\n";
}
constexpr const char* kTemplate =
    "template: {spec: {nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: d}, requirements: "
    "[]}}";

std::string pod_that(const std::string& spec,
                     const std::string& containers = ", containers: [{name: c, image: i}]") {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: h}\nspec: {" + spec + containers + "}\n";
}
std::string pod_with_term(const std::string& expression) {
    return pod_that(
        "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
        "[{matchExpressions: [" +
        expression + "]}]}}}");
}

TEST(ManifestJudge, finds_nothing_in_what_a_server_takes) {
    for (const std::string& yaml :
         {pool(kTemplate), pool(fmt::format("weight: 100, {}", kTemplate)),
          std::string("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n"),
          std::string(
              "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\nspec: {containers: [{name: c, "
              "image: i}]}\n"),
          pod_with_term("{key: a, operator: Gt, values: ['-3']}"),
          pod_with_term("{key: a, operator: Gt, values: [b]}"), pod_with_term("{key: a, operator: Exists}"),
          pod_that("tolerations: [{operator: Exists}, {key: a, value: b}, {key: a, operator: Exists, effect: "
                   "NoExecute, tolerationSeconds: 3}]"),
          pod_that("containers: [{name: c, image: i, resources: {limits: {nvidia.com/gpu: 1}}}]", ""),
          std::string("apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {spec: "
                      "{restartPolicy: Never, containers: [{name: c, image: i}]}}}\n")}) {
        EXPECT_THAT(mistakes(yaml), IsEmpty()) << yaml;
    }
    for (const auto& file : embedded::crds()) EXPECT_THAT(mistakes(std::string(file.text)), IsEmpty());
}

TEST(ManifestJudge, says_what_a_server_would_refuse) {
    const struct {
        std::string yaml;
        const char* mistake;
    } kCases[] = {
        {pool(fmt::format("weight: 200, {}", kTemplate)), "spec.weight: "},
        {pool(fmt::format("disruption: {{consolidateAfter: 0s, consolidationPolicy: WhenUnderutilized}}, {}",
                          kTemplate)),
         "spec.disruption.consolidationPolicy: Unsupported value"},
        {pool(fmt::format("disruption: {{consolidateAfter: 0s, budgets: [{{nodes: \"1\", reasons: "
                          "[Underutilised]}}]}}, {}",
                          kTemplate)),
         "spec.disruption.budgets[0].reasons[0]: Unsupported value"},
        {pool("template: {spec: {requirements: []}}"), "spec.template.spec.nodeClassRef: Required value"},
        {pool("template: {spec: {nodeClassRef: {group: g, kind: k, name: d}}}"),
         "spec.template.spec.requirements: Required value"},
        {pool(fmt::format("replicas: 3, weight: 10, {}", kTemplate)), "spec: "},
        {pool(kTemplate, ""), "metadata.name: Required value"},
        {"apiVersion: karpenter.sh/v1alpha1\nkind: NodeOverlay\nmetadata: {name: g}\nspec: {requirements: "
         "[], "
         "price: \"1\", priceAdjustment: \"+1\"}\n",
         "spec"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {name: h}\nspec: {containers: [{name: c, image: i, resources: "
         "{requests: {cpu: \"2\"}, limits: {cpu: \"1\"}}}]}\n",
         "spec.containers[0].resources.requests: Invalid value"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {name: h}\nspec: {containers: [{name: c, image: i, resources: "
         "{requests: {cpu: lots}}}]}\n",
         "spec.containers[0].resources.requests.cpu: Invalid value"},
        {pod_that("affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                  "{nodeSelectorTerms: []}}}"),
         "nodeSelectorTerms: Required value"},
        {pod_with_term("{key: a, operator: In, values: []}"), "matchExpressions[0].values: Required value"},
        {pod_with_term("{key: a, operator: Exists, values: [b]}"), "matchExpressions[0].values: Forbidden"},
        {pod_with_term("{key: a, operator: Gt, values: ['1', '2']}"),
         "matchExpressions[0].values: Required value"},
        {pod_with_term("{key: a, operator: Gte, values: ['1']}"),
         "matchExpressions[0].operator: Invalid value"},
        {pod_that(
             "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
             "{nodeSelectorTerms: [{matchFields: [{key: metadata.name, operator: In, values: [a, b]}]}]}}}"),
         "matchFields[0].values: Required value"},
        {pod_that("affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 101, "
                  "preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}"),
         "[0].weight: Invalid value"},
        {pod_that("affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
                  "[{labelSelector: {}}]}}"),
         "podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value"},
        {pod_that("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: Never}]"),
         "whenUnsatisfiable: Unsupported value"},
        {pod_that("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, minDomains: 2, "
                  "whenUnsatisfiable: ScheduleAnyway}]"),
         "minDomains: Invalid value"},
        {pod_that("topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: "
                  "DoNotSchedule}, {maxSkew: 2, topologyKey: z, whenUnsatisfiable: DoNotSchedule}]"),
         "[1].{topologyKey, whenUnsatisfiable}: Duplicate value"},
        {pod_that("containers: [{name: c, image: i, resources: {requests: {cpu: -1}}}]", ""),
         "spec.containers[0].resources.requests[cpu]: Invalid value"},
        {pod_that("tolerations: [{operator: Equal, value: a}]"), "tolerations[0].operator: Invalid value"},
        {pod_that("tolerations: [{key: a, operator: Exists, value: b}]"),
         "tolerations[0].operator: Invalid value"},
        {pod_that("tolerations: [{key: a, operator: Exists, effect: NoRun}]"),
         "tolerations[0].effect: Unsupported value"},
        {pod_that("tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 3}]"),
         "tolerations[0].effect: Invalid value"},
        {pod_that("containers: [{name: c, image: i, resources: {requests: {nvidia.com/gpu: 1}}}]", ""),
         "spec.containers[0].resources.limits: Required value"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {name: h}\nspec: {contianers: []}\n",
         "spec.contianers: unknown field"},
        {"apiVersion: v1\nkind: Pod\nmetadata: {name: h}\nspec: {tolerations: [{effect: Never}], containers: "
         "[{name: c, image: i}]}\n",
         "spec.tolerations[0].effect: Unsupported value"},
        {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: i}\nspec: {replicas: 2}\n",
         "spec.selector: Required value"},
        {"apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: i}\n",
         "apiVersion: extensions/v1beta1 is not served; write apps/v1"},
        {"apiVersion: karpenter.sh/v1beta1\nkind: NodePool\nmetadata: {name: i}\n",
         "apiVersion: karpenter.sh/v1beta1 is not served; write karpenter.sh/v1"},
    };
    for (const auto& [yaml, mistake] : kCases)
        EXPECT_THAT(mistakes(yaml), testing::Contains(HasSubstr(mistake))) << yaml;
}

TEST(ManifestJudge, says_all_of_it_at_once) {
    EXPECT_THAT(mistakes(pool(fmt::format("weight: 200, limits: 5, disruption: {{consolidateAfter: 30 s, "
                                          "consolidationPolicy: Sometimes}}, {}",
                                          kTemplate))),
                testing::UnorderedElementsAre(HasSubstr("spec.limits: "), HasSubstr("spec.weight: "),
                                              HasSubstr("spec.disruption.consolidateAfter: "),
                                              HasSubstr("spec.disruption.consolidationPolicy: ")));
}

TEST(ManifestJudge, leaves_kinds_alone_that_it_does_not_know) {
    EXPECT_THAT(
        mistakes("apiVersion: karpenter.azure.com/v1beta1\nkind: AKSNodeClass\nmetadata: {name: a}\n"),
        ElementsAre("not looked at"));
    EXPECT_THAT(mistakes("apiVersion: cluster.x-k8s.io/v1\nkind: Node\nmetadata: {}\n"),
                ElementsAre("not looked at"));
}

}  // namespace
}  // namespace joiner::sim
