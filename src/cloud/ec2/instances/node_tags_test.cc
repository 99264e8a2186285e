#include "cloud/ec2/instances/node_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

using cloud::testing::create;
using std::chrono::seconds;
using testing::Ec2Bench;

class NodeTagsTest : public ::testing::Test {
  protected:
    NodeTagsTest() {
        const LaunchRequest request = bench_.request("a", "uid-a");
        claim_ = request.claim;
        claim_.provider_id = create(bench_, request)->instance->provider_id;
        claim_.node_name = "ip-10-0-0-1";
    }
    Result<api::StringMap> put() {
        std::optional<Result<api::StringMap>> out;
        bench_.provider().hear_of_node(claim_,
                                       [&](Result<api::StringMap> answer) { out = std::move(answer); });
        bench_.loop().advance(seconds{10});
        return out.value_or(fail(ErrorKind::kInternal, "no answer"));
    }
    std::map<std::string, std::string>& tags() { return bench_.ec2().instances.front().tags; }

    Ec2Bench bench_;
    api::NodeClaim claim_;
};

TEST_F(NodeTagsTest, an_instance_is_tagged_once_as_karpenter_tags_it) {
    EXPECT_TRUE(bench_.provider().must_hear_of_node(claim_));
    tags().erase("karpenter.sh/nodeclaim");
    tags().erase("eks:eks-cluster-name");
    const auto said = put();
    ASSERT_TRUE(said) << said.error().message;
    EXPECT_EQ(tags().at("Name"), "ip-10-0-0-1");
    EXPECT_EQ(tags().at("karpenter.sh/nodeclaim"), "a");
    EXPECT_EQ(tags().at("eks:eks-cluster-name"), "test");
    EXPECT_EQ(said->at("karpenter.k8s.aws/tagged"), "true");
    for (const auto& [key, value] : *said) claim_.meta.annotations[key] = value;
    EXPECT_FALSE(bench_.provider().must_hear_of_node(claim_));
}

TEST_F(NodeTagsTest, what_is_there_stays_and_costs_no_call) {
    tags()["Name"] = "chosen by people";
    ASSERT_TRUE(put());
    EXPECT_EQ(tags().at("Name"), "chosen by people");
    EXPECT_EQ(bench_.ec2().calls["CreateTags"], 0);
}

TEST_F(NodeTagsTest, nodes_that_come_together_are_asked_for_together) {
    const LaunchRequest request = bench_.request("b", "uid-b");
    api::NodeClaim other = request.claim;
    other.provider_id = create(bench_, request)->instance->provider_id;
    other.node_name = "ip-10-0-0-2";
    bench_.ec2().calls.clear();
    int tagged = 0;
    for (const api::NodeClaim& claim : {claim_, other}) {
        bench_.provider().hear_of_node(
            claim, [&](const Result<api::StringMap>& said) { tagged += said.has_value() ? 1 : 0; });
        bench_.loop().advance(std::chrono::milliseconds{100});
    }
    bench_.loop().advance(seconds{10});
    EXPECT_EQ(tagged, 2);
    EXPECT_EQ(bench_.ec2().calls["DescribeInstances"], 1);
}

TEST_F(NodeTagsTest, many_nodes_at_once_are_tagged_some_a_second) {
    std::vector<api::NodeClaim> claims(20, claim_);
    for (std::size_t i = 0; i < claims.size(); ++i) {
        const LaunchRequest request = bench_.request(fmt::format("c{}", i), fmt::format("uid-c{}", i));
        claims[i].provider_id = create(bench_, request)->instance->provider_id;
        claims[i].node_name = fmt::format("n{}", i);
    }
    int tagged = 0;
    for (const api::NodeClaim& claim : claims) {
        bench_.provider().hear_of_node(
            claim, [&](const Result<api::StringMap>& said) { tagged += said.has_value() ? 1 : 0; });
    }
    bench_.loop().advance(seconds{1});
    EXPECT_EQ(bench_.ec2().calls["CreateTags"], 6);
    bench_.loop().advance(seconds{10});
    EXPECT_EQ(tagged, 20);
}

TEST_F(NodeTagsTest, a_refusal_names_the_call) {
    bench_.ec2().faults.refuse = "CreateTags";
    const auto said = put();
    ASSERT_FALSE(said);
    EXPECT_THAT(said.error().message, ::testing::HasSubstr("ec2 CreateTags"));
}

TEST_F(NodeTagsTest, without_a_node_or_an_instance_there_is_nothing_to_tag) {
    claim_.node_name.clear();
    EXPECT_FALSE(bench_.provider().must_hear_of_node(claim_));
    claim_.node_name = "n";
    claim_.provider_id = "rack://a";
    EXPECT_FALSE(bench_.provider().must_hear_of_node(claim_));
}

}  // namespace
}  // namespace joiner::cloud::ec2
