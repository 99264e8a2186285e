// What a class says of itself while AWS's answers are lost; by the whole provider.
#include <gmock/gmock.h>

#include "cloud/ec2/ec2_provider.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

// AWS answers nothing but EKS's question, and that only once `eks_answers_`.
class ClassReconcilerTest : public testing::Test {
  protected:
    ClassReconcilerTest() {
        http_.responder = [this](const io::HttpRequest& request) {
            if (eks_answers_ && request.target.starts_with("/clusters/"))
                return io::HttpResponse{
                    200,
                    R"({"cluster":{"endpoint":"https://c","certificateAuthority":{"data":"Y2E="},"version":"1.34",
                        "kubernetesNetworkConfig":{"serviceIpv4Cidr":"10.0.0.0/16"}}})",
                    "", 0};
            return io::HttpResponse{500, "<html>not now</html>", "text/html", 0};
        };
        class_.group = kGroup;
        class_.kind = kKind;
        class_.meta.name = "default";
        class_.meta.uid = "uid";
        class_.spec = R"({"role": "node", "amiFamily": "AL2023", "amiSelectorTerms": [{"id": "ami-1"}],
            "subnetSelectorTerms": [{"id": "subnet-1"}], "securityGroupSelectorTerms": [{"id": "sg-1"}]})";
    }
    WantedClassState reconcile() {
        std::optional<WantedClassState> out;
        provider_.reconcile(class_, {}, [&](Result<WantedClassState> state) { out = *state; });
        loop_.advance(minutes{5});
        EXPECT_TRUE(out);
        return *out;
    }
    static WantedCondition validation(const WantedClassState& state) {
        for (const WantedCondition& each : state.conditions) {
            if (each.type == "ValidationSucceeded") return each;
        }
        return {};
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    Reports reports_;
    bool eks_answers_ = false;
    api::NodeClass class_;
    Settings settings_{.cluster_name = "test"};
    Ec2Provider provider_{
        {loop_, http_, reports_, Rng(1), *aws::Endpoints::read({}, "us-east-1"), aws::test_keys(loop_)},
        settings_};
};

// With the gate NodeClassCEL.
class ExpressionsTest : public ClassReconcilerTest {
  protected:
    ExpressionsTest() {
        eks_answers_ = true;
        class_.spec.back() = ',';
        spec_ = class_.spec + R"("kubelet": )";
    }
    WantedCondition validated(Ec2Provider& provider, const std::string& kubelet,
                              Duration for_how_long = minutes{5}) {
        class_.spec = spec_ + kubelet + "}";
        std::optional<WantedClassState> out;
        provider.reconcile(class_, {}, [&](Result<WantedClassState> state) { out = *state; });
        loop_.advance(for_how_long);
        return out ? validation(*out) : WantedCondition{};
    }
    std::unique_ptr<Ec2Provider> make(bool is_gate_on) {
        settings_.node_class_cel = is_gate_on;
        return std::make_unique<Ec2Provider>(
            Ec2Ground{loop_, http_, reports_, Rng(1), *aws::Endpoints::read({}, "us-east-1"),
                      aws::test_keys(loop_)},
            settings_);
    }
    std::string spec_;
};

TEST_F(ExpressionsTest, are_judged_under_karpenters_reasons) {
    struct Case {
        bool is_gate_on;
        const char* kubelet;
        const char* reason;
        const char* said;
    };
    const Case cases[] = {
        {false, R"({"maxPods": "max_pods - 1"})", "KubeletExpressionsDisabled", "NodeClassCEL=true"},
        {false, R"({"systemReserved": {"cpu": "vcpus * 5"}})", "KubeletExpressionsDisabled",
         "systemReserved.cpu"},
        {true, R"({"maxPods": "min(110,"})", "KubeletExpressionInvalid",
         "spec.kubelet.maxPods: \"min(110,\" is neither a number nor an expression: the end, where a value "
         "should "
         "be (character 9)"},
        {true, R"({"kubeReserved": {"memory": "512 MB"}})", "KubeletExpressionInvalid",
         "kubeReserved.memory"},
        {true, R"({"maxPods": "100 / (vcpus - 2) + 0"})", "KubeletExpressionEvaluationFailed",
         "more instance types"},
        {true, R"({"kubeReserved": {"pid": "1000 - vcpus * 8"}})", "KubeletExpressionEvaluationFailed",
         "it comes to -"},
        {true, R"({"kubeReserved": {"pid": "vcpus + 0"}, "registryBurstt": 20})",
         "InvalidKubeletConfiguration", "registryBurstt"},
        // Nothing is said against these; what is tried next gets no answer here.
        {true, R"({"maxPods": "max_pods", "kubeReserved": {"memory": "11 * max_pods + 255"}})",
         "DependenciesNotReady", ""},
        {false, R"({"maxPods": 5, "kubeReserved": {"memory": "1Gi"}})", "DependenciesNotReady", ""},
    };
    for (const Case& c : cases) {
        const auto provider = make(c.is_gate_on);
        // The types are asked for with the first look, and are taken from the built-in table in the end.
        validated(*provider, c.kubelet);
        const WantedCondition condition = validated(*provider, c.kubelet);
        EXPECT_EQ(condition.status, "False") << c.kubelet;
        EXPECT_EQ(condition.reason, c.reason) << c.kubelet << condition.message;
        EXPECT_THAT(condition.message, ::testing::HasSubstr(c.said)) << c.kubelet;
    }
}

TEST_F(ExpressionsTest, wait_for_the_instance_types) {
    const auto provider = make(true);
    const WantedCondition first = validated(*provider, R"({"maxPods": "100 / (vcpus - 2) + 0"
})");
    EXPECT_EQ(first.status, "Unknown");
    EXPECT_EQ(first.message, "EC2 has not said yet which instance types there are");
}

TEST_F(ClassReconcilerTest, no_hash_is_written_before_the_ca_is_known_that_is_part_of_it) {
    EXPECT_TRUE(reconcile().annotations.empty());
    eks_answers_ = true;
    EXPECT_EQ(reconcile().annotations.count(std::string(kHashAnnotation)), 1u);
}

TEST_F(ClassReconcilerTest, a_lost_answer_says_nothing_against_a_class_that_was_tried) {
    EXPECT_EQ(validation(reconcile()).reason, "ClusterCIDRResolutionFailed");
    class_.conditions = {{"ValidationSucceeded", "True", "ValidationSucceeded", "", kNoTime, 0}};
    EXPECT_EQ(validation(reconcile()).status, "True");
}

}  // namespace
}  // namespace joiner::cloud::ec2
