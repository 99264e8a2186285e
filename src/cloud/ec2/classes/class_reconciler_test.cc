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
    Ec2Provider provider_{
        {loop_, http_, reports_, Rng(1), *aws::Endpoints::read({}, "us-east-1"), aws::test_keys(loop_)},
        {.cluster_name = "test"}};
};

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
