// What `joiner convert` writes. tests/convert/ holds pairs: manifests of the first API, a line "# becomes",
// and today's.
#include "cli/conversion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/yaml_text.h"
#include "sim/manifest_judge.h"

namespace joiner::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Json = nlohmann::json;

std::vector<api::Document> documents_of(const std::string& text) {
    return api::split_manifest(text, "in.yaml").value();
}

Conversion converted(const std::string& text, api::Defaults defaults = api::Defaults::kWritten) {
    return convert({documents_of(text), {}}, defaults);
}

std::vector<Json> objects_of(const Conversion& conversion) {
    std::vector<Json> out;
    for (const std::string& object : conversion.objects) out.push_back(Json::parse(object));
    return out;
}

std::vector<Json> objects_of(const std::string& text) {
    std::vector<Json> out;
    for (const api::Document& document : documents_of(text)) out.push_back(Json::parse(document.json));
    return out;
}

// What an API server has against the objects.
std::vector<std::string> mistakes_in(const Conversion& conversion) {
    const sim::ManifestJudge judge;
    std::vector<std::string> out;
    for (const std::string& text : conversion.objects) {
        const Json object = Json::parse(text);
        const sim::Judgement judgement =
            judge.judge(object["apiVersion"].get<std::string>(), object["kind"].get<std::string>(), text);
        EXPECT_TRUE(judgement.is_known_kind);
        for (const sim::Mistake& mistake : judgement.mistakes)
            out.push_back(mistake.field + ": " + mistake.what);
    }
    return out;
}

TEST(Convert, the_pairs_come_out_to_the_letter) {
    std::size_t pairs = 0;
    for (const auto& entry : fs::directory_iterator(fs::path(JOINER_SOURCE_DIR) / "tests/convert")) {
        SCOPED_TRACE(entry.path().filename().string());
        std::stringstream text;
        text << std::ifstream(entry.path()).rdbuf();
        const std::string pair = text.str();
        const std::size_t middle = pair.find("# becomes\n");
        ASSERT_NE(middle, std::string::npos);
        ++pairs;
        const std::vector<Json> wanted = objects_of(pair.substr(middle));
        const Conversion conversion = converted(pair.substr(0, middle));
        if (wanted.empty()) {
            EXPECT_THAT(conversion.refusals,
                        Contains("error: converting spec.provider for Provisioner, cannot convert with "
                                 "\"spec.launchTemplate\""));
            continue;
        }
        EXPECT_THAT(conversion.refusals, IsEmpty());
        EXPECT_EQ(objects_of(conversion), wanted);
        EXPECT_THAT(mistakes_in(conversion), IsEmpty());
        // And as it is written.
        EXPECT_EQ(objects_of(conversion_text(conversion, "yaml")), wanted);
        EXPECT_EQ(objects_of(conversion_text(conversion, "json")), wanted);
    }
    EXPECT_EQ(pairs, 10U);
}

constexpr const char* kTemplate = R"(---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata: {name: general, uid: u, labels: {team: core}, annotations: {karpenter.k8s.aws/nodetemplate-hash: "1", note: kept}}
spec: {instanceProfile: p, subnetSelector: {a: b}, securityGroupSelector: {a: b}}
)";

std::string a_provisioner(const std::string& name, const std::string& spec) {
    return "---\napiVersion: karpenter.sh/v1alpha5\nkind: Provisioner\nmetadata: {name: " + name +
           "}\nspec: {" + spec + "}\n";
}

std::vector<std::string> names_of(const Conversion& conversion) {
    std::vector<std::string> out;
    for (const Json& object : objects_of(conversion)) {
        out.push_back(object["kind"].get<std::string>() + " " +
                      object["metadata"]["name"].get<std::string>());
    }
    return out;
}

TEST(Convert, a_template_becomes_a_class_for_each_kubelet) {
    const std::string dense =
        a_provisioner("dense", "providerRef: {name: general}, kubeletConfiguration: {maxPods: 250}");
    const std::string also = a_provisioner(
        "also",
        "providerRef: {name: general}, kubeletConfiguration: {maxPods: 250, containerRuntime: containerd}");
    const std::string sparse =
        a_provisioner("sparse", "providerRef: {name: general}, kubeletConfiguration: {maxPods: 30}");
    const std::string plain = a_provisioner("plain", "providerRef: {name: general}");
    EXPECT_THAT(names_of(converted(kTemplate)), ElementsAre("EC2NodeClass general"));
    EXPECT_THAT(names_of(converted(dense + also + kTemplate)),
                ElementsAre("NodePool dense", "NodePool also", "EC2NodeClass general"));
    const Conversion three = converted(dense + kTemplate + also + sparse + plain);
    EXPECT_THAT(names_of(three), ElementsAre("NodePool dense", "EC2NodeClass general",
                                             "EC2NodeClass general-dense", "EC2NodeClass general-sparse",
                                             "NodePool also", "NodePool sparse", "NodePool plain"));
    EXPECT_THAT(three.remarks, Contains(HasSubstr("general, general-dense, general-sparse")));
    const std::vector<Json> objects = objects_of(three);
    EXPECT_FALSE(objects[1]["spec"].contains("kubelet"));
    EXPECT_EQ(objects[3]["spec"]["kubelet"]["maxPods"], 30);
    EXPECT_EQ(objects[4]["spec"]["template"]["spec"]["nodeClassRef"]["name"], "general-dense");
    EXPECT_EQ(
        objects[3]["metadata"],
        Json::parse(R"({"name":"general-sparse","labels":{"team":"core"},"annotations":{"note":"kept"}})"));
}

TEST(Convert, a_template_that_is_not_given_is_named) {
    const Conversion lone = converted(a_provisioner("p", "providerRef: {name: general}"));
    EXPECT_THAT(names_of(lone), ElementsAre("NodePool p"));
    EXPECT_THAT(lone.remarks,
                ElementsAre(HasSubstr("in.yaml:2: Provisioner p: AWSNodeTemplate general is not among")));
}

TEST(Convert, a_reference_to_a_node_class_stays) {
    const Conversion kwok = converted(a_provisioner(
        "p", "providerRef: {apiVersion: karpenter.kwok.sh/v1alpha1, kind: KWOKNodeClass, name: default}"));
    EXPECT_EQ(objects_of(kwok)[0]["spec"]["template"]["spec"]["nodeClassRef"],
              Json::parse(R"({"group":"karpenter.kwok.sh","kind":"KWOKNodeClass","name":"default"})"));
}

TEST(Convert, what_cannot_be_converted_is_refused_with_its_field) {
    const struct {
        std::string text;
        const char* refusal;
    } kCases[] = {
        {a_provisioner(
             "p", "providerRef: {name: general}, ttlSecondsAfterEmpty: 3, consolidation: {enabled: true}"),
         "Provisioner p: spec.ttlSecondsAfterEmpty: expected exactly one, got both"},
        {a_provisioner(
             "p", "provider: {subnetSelector: {a: b}, securityGroupSelector: {a: b}, instanceTypes: [m5]}"),
         "Provisioner p: spec.provider.instanceTypes: is no field here"},
        {a_provisioner("p", "provider: {launchTemplate: t, subnetSelector: {a: b}}"),
         R"(error: converting spec.provider for Provisioner, cannot convert with "spec.launchTemplate")"},
        {"apiVersion: karpenter.k8s.aws/v1alpha1\nkind: AWSNodeTemplate\nmetadata: {name: t}\nspec: "
         "{launchTemplate: t, subnetSelector: {a: b}}",
         R"(error: converting AWSNodeTemplate, cannot convert with "spec.launchTemplate")"},
        {a_provisioner("general", "provider: {subnetSelector: {a: b}, securityGroupSelector: {a: b}}") +
             kTemplate,
         "EC2NodeClass general would come out twice"},
    };
    for (const auto& c : kCases) {
        SCOPED_TRACE(c.text);
        EXPECT_THAT(converted(c.text).refusals, Contains(HasSubstr(c.refusal)));
    }
}

TEST(Convert, keys_of_the_first_api_are_renamed_in_objects_of_any_kind) {
    const Conversion conversion = converted(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {annotations: {karpenter.sh/do-not-evict: "true"}}
    spec:
      nodeSelector: {karpenter.sh/provisioner-name: general}
      topologySpreadConstraints: [{topologyKey: karpenter.sh/provisioner-name}]
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: karpenter.sh/provisioner-name, operator: In, values: [a]}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: away}
spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: karpenter.sh/provisioner-name, operator: DoesNotExist}]}]}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {text: karpenter.sh/provisioner-name}
)");
    EXPECT_THAT(conversion.untouched, ElementsAre("ConfigMap"));
    EXPECT_EQ(objects_of(conversion), objects_of(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {annotations: {karpenter.sh/do-not-disrupt: "true"}}
    spec:
      nodeSelector: {karpenter.sh/nodepool: general}
      topologySpreadConstraints: [{topologyKey: karpenter.sh/nodepool}]
      affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: karpenter.sh/nodepool, operator: In, values: [a]}]}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: away}
spec: {affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: karpenter.sh/provisioner-name, operator: DoesNotExist}, {key: karpenter.sh/nodepool, operator: DoesNotExist}]}]}}}}
)"));
}

TEST(Convert, without_defaults_only_what_is_written_comes_out) {
    const Conversion bare = converted(a_provisioner("p", "providerRef: {name: g}"), api::Defaults::kNone);
    EXPECT_THAT(objects_of(bare)[0]["spec"]["template"]["spec"]["requirements"], IsEmpty());
}

TEST(Convert, texts_keep_their_meaning_in_yaml) {
    const Json odd = {{"plain", "m5.large"},
                      {"number", "400"},
                      {"exponent", "1e3"},
                      {"hex", "0x1m"},
                      {"truth", "Yes"},
                      {"nothing", "null"},
                      {"tilde", "~"},
                      {"star", "*"},
                      {"empty", ""},
                      {"colon", "a: b"},
                      {"hash", "a #b"},
                      {"spaces", " a "},
                      {"date", "2026-11-29"},
                      {"lines", "a\n  b\n"},
                      {"no end", "a\n\nb"},
                      {"many ends", "a\n\n\n"},
                      {"indented", " a\nb\n"},
                      {"tab", "a\tb\n"},
                      {"umlaut", "ä\n"},
                      {"yes", Json::array({"y", "n", 1, true, nullptr, 1.5})},
                      {"lists", Json::array({Json::array({1, 2}), Json::object(), Json::array()})},
                      {"deep", {{"a", {{"b", Json::array({{{"c", "d"}, {"e", "f"}}})}}}}}};
    const Json whole = {{"apiVersion", "v1"}, {"kind", "X"}, {"odd", odd}};
    EXPECT_EQ(objects_of(yaml_text(whole.dump())).front(), whole);
}

}  // namespace
}  // namespace joiner::cli
