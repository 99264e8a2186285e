// What people see: every form of output says the same things, and validate's exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "cli/simulation.h"

namespace joiner::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kPool = R"(apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: a-pool-with-a-very-long-name-indeed}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      requirements:
      - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
      - {key: node.kubernetes.io/instance-type, operator: In, values: [m5.large, m5.2xlarge]}
---
)";

constexpr const char* kWorld = R"(apiVersion: v1
kind: Pod
metadata: {name: fits}
spec: {tolerations: [{key: new, operator: Exists}], nodeSelector: {node.kubernetes.io/instance-type: m5.large}, containers: [{name: c, image: i, resources: {requests: {cpu: "1"}}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: waits}
spec: {nodeSelector: {team: blue}, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
---
apiVersion: v1
kind: Node
metadata:
  name: old
  labels: {karpenter.sh/nodepool: a-pool-with-a-very-long-name-indeed, karpenter.sh/capacity-type: on-demand, karpenter.sh/registered: "true", karpenter.sh/initialized: "true", node.kubernetes.io/instance-type: m5.2xlarge, topology.kubernetes.io/zone: us-east-1a, kubernetes.io/hostname: old, kubernetes.io/arch: amd64, kubernetes.io/os: linux}
spec: {providerID: "aws:///us-east-1a/i-0"}
status:
  allocatable: {cpu: 7910m, memory: 29317Mi, pods: "58"}
  capacity: {cpu: "8", memory: 30310Mi, pods: "58"}
  conditions: [{type: Ready, status: "True"}]
---
apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata: {name: default-old, labels: {karpenter.sh/nodepool: a-pool-with-a-very-long-name-indeed}}
spec: {nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}, requirements: []}
status: {nodeName: old, providerID: "aws:///us-east-1a/i-0", conditions: [{type: Initialized, status: "True"}]}
)";

class Output : public testing::Test {
  protected:
    void SetUp() override {
        std::string text = (fs::temp_directory_path() / "joiner-output-XXXXXX").string();
        ASSERT_NE(mkdtemp(text.data()), nullptr);
        folder_ = text;
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string write(const std::string& text) {
        const fs::path file = folder_ / "world.yaml";
        std::ofstream(file) << text;
        return file.string();
    }

    std::string capture(const std::function<int()>& run, int code) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        EXPECT_EQ(run(), code);
        std::fflush(stdout);
        testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    std::string simulate_as(const std::string& form) {
        SimulateOptions options;
        options.files = {write(std::string(kPool) + kWorld)};
        options.output = form;
        options.disruption = true;
        return capture([&] { return run_simulate(options); }, 0);
    }

    std::string validate(const std::string& text, int code, const std::string& aws_feature_gates = "") {
        ValidateOptions options;
        options.aws_feature_gates = aws_feature_gates;
        options.files = {write(text)};
        return capture([&] { return run_validate(options); }, code);
    }

    fs::path folder_;
};

constexpr const char* kSum =
    "now 0.4800 $ an hour, after 0.0960; bought anew, the same pods take at least 0.0960; "
    "1 node goes, 0 pods move";

TEST_F(Output, the_table_keeps_its_columns_under_a_long_name) {
    const std::string table = simulate_as("table");
    const std::size_t first_line = table.find('\n');
    const std::size_t second_line = table.find('\n', first_line + 1);
    EXPECT_EQ(second_line - first_line - 1, first_line) << table;
    EXPECT_THAT(table, HasSubstr("2 pods: 1 on 1 new node, 0 on nodes that are there, 1 waiting\n"));
    EXPECT_TRUE(table.ends_with(std::string(kSum) + "\n")) << table;
}

TEST_F(Output, html_says_what_the_table_says) {
    const std::string page = simulate_as("html");
    for (const char* words :
         {"1 of 2 pods on 1 new node", "1 waiting", kSum, "<b>old</b> (Empty)", "ConfigMap 1",
          "<td>m5.large<td>us-east-1a<td>on-demand<td class=n>1<td class=n>1", "default/waits"})
        EXPECT_THAT(page, HasSubstr(words));
}

TEST_F(Output, json_says_what_the_table_says) {
    const auto json = nlohmann::json::parse(simulate_as("json"));
    EXPECT_EQ(json["pods"]["all"], 2);
    EXPECT_EQ(json["pods"]["waiting"], 1);
    EXPECT_EQ(json["warnings"].size(), 1u);
    EXPECT_EQ(json["disruption"]["nowPerHour"], 0.48);
    EXPECT_EQ(json["disruption"]["afterPerHour"], 0.096);
    EXPECT_EQ(json["disruption"]["moves"], 0);
}

TEST_F(Output, a_bound_of_nought_proves_nothing) {
    plan::Plan plan;
    EXPECT_EQ(gap_text(plan), "0.00 %");
    plan.price = rules::Money::from_dollars(1);
    EXPECT_EQ(gap_text(plan), "unknown");
    EXPECT_FALSE(gap_of(plan));
    plan.lower_bound = rules::Money::from_dollars(0.8);
    EXPECT_EQ(gap_text(plan), "25.00 %");
}

TEST_F(Output, validate_says_by_file_and_line_what_a_server_would_refuse) {
    EXPECT_THAT(validate(kPool, 0), HasSubstr("1 document, 1 checked: no mistakes\n"));
    EXPECT_THAT(validate("apiVersion: example.com/v1\nkind: Squid\nmetadata: {name: a}\n", 0),
                HasSubstr("1 document, 0 checked: no mistakes; not looked at: Squid 1"));
    const std::string wrong = validate(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  contaners: []\n  containers:\n  - name: c\n"
        "    image: i\n    resources: {requests: {cpu: 2}, limits: {cpu: 1}}\n",
        1);
    EXPECT_THAT(wrong, HasSubstr("world.yaml:5: Pod a: spec.contaners: unknown field\n"));
    EXPECT_THAT(wrong,
                HasSubstr("world.yaml:9: Pod a: spec.containers[0].resources.requests: Invalid value"));
    EXPECT_THAT(wrong, HasSubstr("1 document, 1 checked: 2 mistakes"));
    EXPECT_THAT(validate("image: x\n", 1), HasSubstr("world.yaml:1: has no kind"));
    EXPECT_THAT(
        validate("apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: a}\nspec: "
                 "{amiSelectorTerms: [{alias: al2023@latest}], subnetSelectorTerms: [{id: subnet-1}], "
                 "securityGroupSelectorTerms: [{id: sg-1}], role: r, kubelet: {maxPods: -1}}\n",
                 1),
        HasSubstr("EC2NodeClass a: InvalidKubeletConfiguration: "));
    EXPECT_THAT(validate("kind: [\n", 2), HasSubstr("not valid YAML"));
    const auto of_expression = [&](const std::string& expression, const char* gates, int code) {
        return validate(
            "apiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: a}\nspec: "
            "{amiSelectorTerms: [{alias: al2023@latest}], subnetSelectorTerms: [{id: subnet-1}], "
            "securityGroupSelectorTerms: [{id: sg-1}], role: r, kubelet: {maxPods: \"" +
                expression + "\"}}\n",
            code, gates);
    };
    EXPECT_THAT(of_expression("max_pods - 1", "", 1), HasSubstr("KubeletExpressionsDisabled: "));
    constexpr const char* kOn = "NodeClassCEL=true";
    EXPECT_THAT(of_expression("max_pods - 1", kOn, 0), HasSubstr("no mistakes"));
    EXPECT_THAT(of_expression("max_pods -", kOn, 1), HasSubstr("KubeletExpressionInvalid: "));
    EXPECT_THAT(of_expression("9 - max_pods", kOn, 1), HasSubstr("KubeletExpressionEvaluationFailed: "));
    of_expression("1", "NodeClassCEL", 2);
    ValidateOptions nothing;
    nothing.files = {(folder_ / "nowhere.yaml").string()};
    capture([&] { return run_validate(nothing); }, 2);
}

}  // namespace
}  // namespace joiner::cli
