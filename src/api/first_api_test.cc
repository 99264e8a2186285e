#include "api/first_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/manifest.h"

namespace joiner::api {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Json = nlohmann::json;

const NodeClassReference kClass{"karpenter.k8s.aws", "EC2NodeClass", "general"};

// A spec in YAML's flow form, in a whole object.
std::string provisioner(const std::string& spec) {
    return yaml_to_json("{apiVersion: karpenter.sh/v1alpha5, kind: Provisioner, metadata: {name: p}, spec: " +
                            spec + "}",
                        "test")
        .value();
}
std::string node_template(const std::string& spec) {
    return yaml_to_json(
               "{apiVersion: karpenter.k8s.aws/v1alpha1, kind: AWSNodeTemplate, metadata: {name: t}, "
               "spec: " +
                   spec + "}",
               "test")
        .value();
}
Json yaml(const std::string& text) {
    return Json::parse(yaml_to_json(text, "test").value());
}

FirstApiPool pool_of(const std::string& spec, Defaults defaults = Defaults::kNone) {
    return first_api_pool(provisioner(spec), kClass, defaults).value();
}
Json pool_spec(const std::string& spec, Defaults defaults = Defaults::kNone) {
    return Json::parse(pool_of(spec, defaults).node_pool)["spec"];
}
FirstApiClass class_of_template(const std::string& spec, const std::string& kubelet = "") {
    return first_api_class_of_template(node_template(spec), kubelet).value();
}

TEST(FirstApi, what_a_provisioner_does_with_nodes_that_idle) {
    const struct {
        const char* spec;
        const char* policy;
        const char* after;
        const char* expire;
    } kCases[] = {
        {"{providerRef: {name: g}}", "WhenEmpty", "Never", "Never"},
        {"{providerRef: {name: g}, consolidation: {enabled: false}}", "WhenEmpty", "Never", "Never"},
        {"{providerRef: {name: g}, ttlSecondsAfterEmpty: 0}", "WhenEmpty", "0s", "Never"},
        {"{providerRef: {name: g}, ttlSecondsAfterEmpty: 90}", "WhenEmpty", "1m30s", "Never"},
        {"{providerRef: {name: g}, consolidation: {enabled: true}, ttlSecondsUntilExpired: 2592000}",
         "WhenEmptyOrUnderutilized", "0s", "720h0m0s"},
        {"{providerRef: {name: g}, consolidation: {enabled: false}, ttlSecondsAfterEmpty: 5}", "WhenEmpty",
         "5s", "Never"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.spec);
        const FirstApiPool pool = pool_of(c.spec);
        EXPECT_THAT(pool.problems, IsEmpty());
        EXPECT_THAT(pool.lost, IsEmpty());
        const Json spec = Json::parse(pool.node_pool)["spec"];
        EXPECT_EQ(spec["disruption"]["consolidationPolicy"], c.policy);
        EXPECT_EQ(spec["disruption"]["consolidateAfter"], c.after);
        EXPECT_EQ(spec["template"]["spec"]["expireAfter"], c.expire);
        const auto read = decode_node_pool(pool.node_pool);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->spec_problem, "");
    }
}

TEST(FirstApi, all_of_a_provisioner_is_read_into_the_pool) {
    const FirstApiPool pool = pool_of(
        "{labels: {tier: web}, annotations: {on: call}, weight: 7, limits: {resources: {cpu: 1000, memory: "
        "1024Mi}}, taints: [{key: a, value: b, effect: NoSchedule}], startupTaints: [{key: a, effect: "
        "NoExecute}], requirements: [{key: kubernetes.io/arch, operator: In, values: [arm64]}], "
        "kubeletConfiguration: {maxPods: 20}, providerRef: {name: general}}");
    EXPECT_THAT(pool.problems, IsEmpty());
    EXPECT_EQ(Json::parse(pool.node_pool),
              yaml("{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {weight: 7, "
                   "limits: {cpu: 1k, memory: 1Gi}, disruption: {consolidationPolicy: WhenEmpty, "
                   "consolidateAfter: Never}, template: {metadata: {labels: {tier: web}, annotations: {on: "
                   "call}}, spec: {expireAfter: Never, nodeClassRef: {group: karpenter.k8s.aws, kind: "
                   "EC2NodeClass, name: general}, taints: [{key: a, value: b, effect: NoSchedule}], "
                   "startupTaints: [{key: a, effect: NoExecute}], requirements: [{key: kubernetes.io/arch, "
                   "operator: In, values: [arm64]}]}}}}"));
}

TEST(FirstApi, metadata_goes_over_whole) {
    const auto pool = first_api_pool(
        R"({"metadata":{"name":"p","uid":"u-1","generation":3,"resourceVersion":"12"},"spec":{"providerRef":{"name":"g"}},"status":{"resources":{"cpu":"1"}}})",
        kClass, Defaults::kNone);
    ASSERT_TRUE(pool);
    const Json json = Json::parse(pool->node_pool);
    EXPECT_EQ(json["metadata"],
              Json::parse(R"({"name":"p","uid":"u-1","generation":3,"resourceVersion":"12"})"));
    EXPECT_FALSE(json.contains("status"));
}

std::vector<std::string> defaulted_keys(const std::string& spec) {
    std::vector<std::string> out;
    const Json spec_json = pool_spec(spec, Defaults::kWritten);
    for (const Json& r : spec_json["template"]["spec"]["requirements"])
        out.push_back(r["key"].get<std::string>());
    return out;
}

TEST(FirstApi, written_defaults_leave_alone_what_a_requirement_or_a_label_says) {
    EXPECT_THAT(defaulted_keys("{providerRef: {name: g}}"),
                ElementsAre("kubernetes.io/os", "kubernetes.io/arch", "karpenter.sh/capacity-type",
                            "karpenter.k8s.aws/instance-category", "karpenter.k8s.aws/instance-generation"));
    EXPECT_THAT(
        defaulted_keys("{providerRef: {name: g}, labels: {kubernetes.io/arch: arm64}, requirements: [{key: "
                       "beta.kubernetes.io/os, operator: Exists}]}"),
        ElementsAre("beta.kubernetes.io/os", "karpenter.sh/capacity-type",
                    "karpenter.k8s.aws/instance-category", "karpenter.k8s.aws/instance-generation"));
    EXPECT_THAT(defaulted_keys("{providerRef: {name: g}, labels: {karpenter.k8s.aws/instance-family: m5}}"),
                ElementsAre("kubernetes.io/os", "kubernetes.io/arch", "karpenter.sh/capacity-type"));
}

TEST(FirstApi, what_the_webhooks_refused_of_a_provisioner) {
    const struct {
        const char* spec;
        const char* problem;
    } kCases[] = {
        {"{}", "spec.providerRef: expected exactly one of spec.provider and spec.providerRef, got neither"},
        {"{provider: {}, providerRef: {name: g}}", "got both"},
        {"{providerRef: {}}", "spec.providerRef.name: "},
        {"{ttlSecondsAfterEmpty: 30, consolidation: {enabled: true}}",
         "spec.ttlSecondsAfterEmpty: expected exactly one, got both"},
        {"{ttlSecondsAfterEmpty: -1}", "spec.ttlSecondsAfterEmpty: is -1"},
        {"{ttlSecondsUntilExpired: soon}", "spec.ttlSecondsUntilExpired: is not a whole number"},
        {"{weight: 0}", "spec.weight: is 0; it may be 1 to 100"},
        {"{weight: 101}", "spec.weight: is 101"},
        {"{limits: {resources: {cpu: many}}}", "spec.limits.resources.cpu: quantity \"many\""},
        {"{labels: {notkubernetes.io/x: a}}", "spec.labels.notkubernetes.io/x: "},
        {"{labels: {sub.node.kubernetes.io/x: a}}", "spec.labels.sub.node.kubernetes.io/x: "},
        {"{labels: {karpenter.sh/provisioner-name: a}}", "is set by the controller alone"},
        {"{labels: {kubernetes.io/hostname: a}}", "is set by the controller alone"},
        {"{labels: {karpenter.sh/emptiness-timestamp: a}}", "is set by the controller alone"},
        {"{labels: {karpenter.k8s.aws/mine: a}}", "karpenter.k8s.aws, a domain"},
        {"{labels: {-a: b}}", "spec.labels.-a: is not a label's key"},
        {"{labels: {a: -b}}", "spec.labels.a: \"-b\" is not a label's value"},
        {"{labels: {a: 1}}", "spec.labels.a: is not a string; put it in quotes"},
        {"{taints: [{effect: NoSchedule}]}", "spec.taints[0].key: \"\" is not a taint's key"},
        {"{taints: [{key: a, value: 'b c', effect: NoSchedule}]}", "spec.taints[0].value: "},
        {"{taints: [{key: a, effect: Never}]}", "spec.taints[0].effect: \"Never\" is none of"},
        {"{taints: [{key: a, effect: NoSchedule}], startupTaints: [{key: a, value: b, effect: NoSchedule}]}",
         "spec.startupTaints[0]: \"a\":NoSchedule is there already"},
        {"{requirements: [{key: kubernetes.io/arch, operator: In}]}",
         "spec.requirements[0].values: In needs"},
        {"{requirements: [{key: a, operator: Gt, values: ['-1']}]}", "Gt needs one whole number"},
        {"{requirements: [{key: a, operator: Lt, values: ['1', '2']}]}", "Lt needs one whole number"},
        {"{requirements: [{key: a, operator: Gt, values: [2]}]}",
         "spec.requirements[0].values[0]: is not a string"},
        {"{requirements: [{key: a, operator: Gte, values: ['2']}]}",
         "spec.requirements[0].operator: \"Gte\""},
        {"{requirements: [{key: karpenter.sh/provisioner-name, operator: Exists}]}",
         "spec.requirements[0].key: \"karpenter.sh/provisioner-name\" is set"},
        {"{requirements: web}", "spec.requirements: is not a list"},
        {"{kubeletConfiguration: {systemReserved: {gpu: '1'}}}",
         "spec.kubeletConfiguration.systemReserved.gpu: only cpu"},
        {"{kubeletConfiguration: {kubeReserved: {cpu: '-1'}}}", "kubeReserved.cpu: -1 is negative"},
        {"{kubeletConfiguration: {evictionHard: {disk.available: 5%}}}", "is no eviction signal"},
        {"{kubeletConfiguration: {evictionHard: {memory.available: 101%}}}", "\"101%\" is neither"},
        {"{kubeletConfiguration: {evictionSoft: {memory.available: 5%}}}", "has no grace period"},
        {"{kubeletConfiguration: {evictionSoftGracePeriod: {memory.available: 5s}}}", "has no threshold"},
        {"{kubeletConfiguration: {imageGCHighThresholdPercent: 50, imageGCLowThresholdPercent: 60}}",
         "50 is below imageGCLowThresholdPercent, 60"},
        {"{kubeletConfiguration: {imageGCHighThresholdPercent: 101}}", "imageGCHighThresholdPercent: is 101"},
        {"{kubeletConfiguration: {maxPods: -1}}", "spec.kubeletConfiguration.maxPods: is -1"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.spec);
        EXPECT_THAT(pool_of(c.spec).problems, Contains(HasSubstr(c.problem)));
    }
}

TEST(FirstApi, what_the_webhooks_let_through_is_no_problem) {
    for (const char* spec :
         {"{labels: {kops.k8s.io/group: a, node.kubernetes.io/x: b, node-restriction.kubernetes.io/y: c}}",
          "{labels: {topology.kubernetes.io/zone: a, karpenter.k8s.aws/instance-size: large, plain: ''}}",
          "{taints: [{key: a}, {key: a, effect: NoExecute}]}",
          "{requirements: [{key: failure-domain.beta.kubernetes.io/zone, operator: In, values: [a]}, {key: "
          "my.org/x, "
          "operator: DoesNotExist}, {key: a, operator: Lt, values: ['0']}]}",
          "{kubeletConfiguration: {imageGCHighThresholdPercent: 60, imageGCLowThresholdPercent: 60, "
          "evictionHard: "
          "{memory.available: 100%, pid.available: 10k}}}"}) {
        SCOPED_TRACE(spec);
        std::string whole(spec);
        whole.insert(1, "providerRef: {name: g}, ");
        EXPECT_THAT(pool_of(whole).problems, IsEmpty());
    }
}

TEST(FirstApi, what_today_cannot_say_is_named) {
    const FirstApiPool pool = pool_of(
        "{providerRef: {name: g}, ttlSecondsAfterEmtpy: 30, kubeletConfiguration: {containerRuntime: "
        "dockerd}, requirements: [{key: karpenter.k8s.aws/instance-pods, operator: Gt, values: ['20']}]}");
    EXPECT_THAT(pool.problems, IsEmpty());
    EXPECT_THAT(pool.lost,
                UnorderedElementsAre(HasSubstr("spec.ttlSecondsAfterEmtpy: is no field"),
                                     HasSubstr("spec.kubeletConfiguration.containerRuntime: "),
                                     HasSubstr("spec.requirements[0].key: karpenter.k8s.aws/instance-pods")));
    EXPECT_THAT(Json::parse(pool.node_pool)["spec"]["template"]["spec"]["requirements"], IsEmpty());
}

TEST(FirstApi, selectors_become_terms) {
    const struct {
        const char* selector;
        const char* terms;
    } kCases[] = {
        {"{team: web, env: live}", "[{tags: {env: live, team: web}}]"},
        {"{Name: 'web-a, web-c'}", "[{tags: {Name: web-a}}, {tags: {Name: web-c}}]"},
        {"{a: '1,2', b: 'x,y'}",
         "[{tags: {a: '1', b: x}}, {tags: {a: '2', b: x}}, {tags: {a: '1', b: y}}, {tags: {a: '2', b: y}}]"},
        {"{aws-ids: 'subnet-1,subnet-2'}", "[{id: subnet-1}, {id: subnet-2}]"},
        {"{'aws::ids': subnet-1}", "[{id: subnet-1}]"},
        {"{a: '*'}", "[{tags: {a: '*'}}]"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.selector);
        const FirstApiClass read = class_of_template(
            "{securityGroupSelector: {a: b}, subnetSelector: " + std::string(c.selector) + "}");
        EXPECT_THAT(read.problems, IsEmpty());
        EXPECT_EQ(Json::parse(read.spec)["subnetSelectorTerms"], yaml(c.terms));
    }
}

constexpr const char* kSelectors = "subnetSelector: {a: b}, securityGroupSelector: {a: b}";

TEST(FirstApi, what_the_webhooks_refused_of_a_template) {
    const struct {
        const char* spec;
        const char* problem;
    } kCases[] = {
        {"{securityGroupSelector: {a: b}}", "spec.subnetSelector: must be set"},
        {"{subnetSelector: {a: b}}", "spec.securityGroupSelector: must be set"},
        {"{subnetSelector: {}}", "spec.subnetSelector: names nothing"},
        {"{subnetSelector: {a: ''}}", "spec.subnetSelector.a: neither key nor value"},
        {"{subnetSelector: {aws-ids: sg-1}}", "\"sg-1\" is not an id subnet-"},
        {"{securityGroupSelector: {aws-ids: sg-1, a: b}}", "spec.securityGroupSelector: ids stand alone"},
        {"{subnetSelector: {a: '1,2,3,4,5,6', b: '1,2,3,4,5,6'}}", "comes to more than 30 terms"},
        {"{amiFamily: AL3}", "spec.amiFamily: \"AL3\" is none of"},
        {"{amiFamily: Custom}", "spec.amiFamily: Custom needs amiSelector"},
        {"{amiFamily: Ubuntu}", "spec.amiFamily: Ubuntu needs amiSelector"},
        {"{tags: {kubernetes.io/cluster/c: owned}}", "spec.tags.kubernetes.io/cluster/c: is set"},
        {"{tags: {karpenter.sh/managed-by: me}}", "is set by the controller alone"},
        {"{metadataOptions: {httpTokens: maybe}}", "spec.metadataOptions.httpTokens: \"maybe\" is none of"},
        {"{metadataOptions: {httpPutResponseHopLimit: 65}}", "is 65; it may be 1 to 64"},
        {"{blockDeviceMappings: [{ebs: {volumeSize: 20Gi}}]}",
         "spec.blockDeviceMappings[0].deviceName: must"},
        {"{blockDeviceMappings: [{deviceName: /dev/a}]}", "spec.blockDeviceMappings[0].ebs: must be set"},
        {"{blockDeviceMappings: [{deviceName: /dev/a, ebs: {}}]}", "volumeSize or snapshotID must be set"},
        {"{blockDeviceMappings: [{deviceName: /dev/a, ebs: {volumeSize: 100M}}]}", "100M is not within"},
        {"{blockDeviceMappings: [{deviceName: /dev/a, ebs: {volumeSize: 1G, volumeType: gp4}}]}",
         "\"gp4\" is none of"},
        {"{launchTemplate: t, userData: x}", "spec.userData: is not for use with launchTemplate"},
        {"{launchTemplate: t, amiFamily: AL2}", "spec.amiFamily: is not for use with launchTemplate"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.spec);
        EXPECT_THAT(class_of_template(c.spec).problems, Contains(HasSubstr(c.problem)));
    }
}

TEST(FirstApi, an_inline_provider_is_read_strictly) {
    const auto problems_of = [](const std::string& fields) {
        const std::string spec = "{provider: {" + std::string(kSelectors) + fields + "}}";
        return first_api_class_of_provider(provisioner(spec)).value().problems;
    };
    EXPECT_THAT(problems_of(", apiVersion: extensions.karpenter.sh/v1alpha1, kind: AWS"), IsEmpty());
    EXPECT_THAT(problems_of(", instanceProfiel: x"),
                ElementsAre(HasSubstr("spec.provider.instanceProfiel: is no field")));
    EXPECT_THAT(problems_of(", metadataOptions: {tokens: x}"),
                ElementsAre(HasSubstr("spec.provider.metadataOptions.tokens: is no field")));
    EXPECT_THAT(problems_of(", userData: x"), ElementsAre(HasSubstr("an AWSNodeTemplate has")));
    EXPECT_THAT(class_of_template("{instanceProfiel: x, " + std::string(kSelectors) + "}").lost,
                ElementsAre(HasSubstr("spec.instanceProfiel: is no field")));
}

TEST(FirstApi, a_launch_template_is_named) {
    const FirstApiClass read = class_of_template("{launchTemplate: corp, subnetSelector: {a: b}}");
    EXPECT_EQ(read.launch_template, "corp");
    EXPECT_THAT(read.problems, IsEmpty());
    EXPECT_THAT(read.lost, ElementsAre(HasSubstr("spec.launchTemplate: ")));
}

TEST(FirstApi, the_kubelet_goes_into_the_class) {
    const std::string kubelet =
        R"({"containerRuntime":"dockerd","maxPods":30,"systemReserved":{"cpu":"1000m"},"evictionSoft":{"memory.available":"5%"},"evictionSoftGracePeriod":{"memory.available":"90s"}})";
    const std::string today =
        R"({"evictionSoft":{"memory.available":"5%"},"evictionSoftGracePeriod":{"memory.available":"1m30s"},"maxPods":30,"systemReserved":{"cpu":"1"}})";
    EXPECT_EQ(first_api_kubelet(kubelet), today);
    EXPECT_EQ(first_api_kubelet(R"({"containerRuntime":"dockerd"})"), "");
    EXPECT_EQ(first_api_kubelet(""), "");
    const FirstApiClass read = class_of_template("{" + std::string(kSelectors) + "}", kubelet);
    EXPECT_EQ(Json::parse(read.spec)["kubelet"], Json::parse(today));
    EXPECT_THAT(read.lost, IsEmpty());
    EXPECT_THAT(class_of_template("{amiFamily: Bottlerocket, " + std::string(kSelectors) + "}",
                                  R"({"podsPerCore":8})")
                    .lost,
                ElementsAre(HasSubstr("spec.amiFamily: Bottlerocket passed over podsPerCore")));
}

TEST(FirstApi, what_is_served_leaves_out_what_the_first_api_passed_over) {
    const auto made = first_api_class_of_template(
        R"({"spec":{"amiFamily":"Bottlerocket","subnetSelector":{"a":"b"},"securityGroupSelector":{"a":"b"}}})",
        R"({"podsPerCore":8,"maxPods":20})");
    ASSERT_TRUE(made);
    EXPECT_THAT(made->spec, HasSubstr("podsPerCore"));
    const std::string served = first_api_served_spec(made->spec);
    EXPECT_THAT(served, testing::Not(HasSubstr("podsPerCore")));
    EXPECT_THAT(served, HasSubstr(R"("maxPods":20)"));
}

TEST(FirstApi, what_a_provisioner_refers_to) {
    const auto inline_provider = first_api_reference(provisioner("{provider: {a: b}}")).value();
    EXPECT_TRUE(inline_provider.has_inline_provider);
    EXPECT_EQ(first_api_class_name("p", inline_provider),
              (NodeClassReference{"karpenter.k8s.aws", "EC2NodeClass", "p"}));
    const auto plain =
        first_api_reference(provisioner("{providerRef: {name: g}, kubeletConfiguration: {maxPods: 3}}"))
            .value();
    EXPECT_FALSE(plain.has_inline_provider);
    EXPECT_EQ(plain.provider_ref, (NodeClassReference{"", "", "g"}));
    EXPECT_TRUE(plain.is_aws_node_template());
    EXPECT_EQ(first_api_class_name("p", plain),
              (NodeClassReference{"karpenter.k8s.aws", "EC2NodeClass", "g-p"}));
    EXPECT_EQ(plain.kubelet, R"({"maxPods":3})");
    const auto kwok =
        first_api_reference(
            provisioner(
                "{providerRef: {apiVersion: karpenter.kwok.sh/v1alpha1, kind: KWOKNodeClass, name: k}}"))
            .value();
    EXPECT_EQ(kwok.provider_ref, (NodeClassReference{"karpenter.kwok.sh", "KWOKNodeClass", "k"}));
    EXPECT_FALSE(kwok.is_aws_node_template());
    EXPECT_EQ(first_api_class_name("p", kwok), kwok.provider_ref);
}

TEST(FirstApi, odd_texts_are_errors_and_no_crash) {
    std::string deep = R"({"spec":)";
    for (int i = 0; i < 5'000; ++i) deep += "[";
    for (const std::string& text : {std::string("{"), std::string("[]"), std::string(""), deep}) {
        EXPECT_FALSE(first_api_pool(text, kClass, Defaults::kWritten));
        EXPECT_FALSE(first_api_class_of_template(text, ""));
        EXPECT_FALSE(first_api_class_of_provider(text));
        EXPECT_FALSE(first_api_reference(text));
    }
    for (const char* text : {R"({"spec":7})", R"({"spec":{"provider":7,"limits":[],"consolidation":"x"}})",
                             R"({"metadata":[],"spec":{"taints":[1],"labels":[]}})"}) {
        EXPECT_THAT(first_api_pool(text, kClass, Defaults::kWritten).value().problems,
                    Contains(HasSubstr("is not")));
        EXPECT_TRUE(first_api_class_of_provider(text));
    }
}

TEST(FirstApi, sentences_stop_at_some_dozens) {
    std::string taints = "{taints: [";
    for (int i = 0; i < 1'000; ++i) taints += "{key: '-'},";
    EXPECT_EQ(pool_of(taints + "]}").problems.size(), 50U);
}

}  // namespace
}  // namespace joiner::api
