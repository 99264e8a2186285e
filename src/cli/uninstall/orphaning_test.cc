#include "cli/uninstall/orphaning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::cli {
namespace {

using nlohmann::json;

TEST(Orphaning, a_node_loses_its_owner_its_finalizer_and_the_taints_that_closed_it) {
    const auto steps = orphan_nodes(R"({"items":[
        {"metadata":{"name":"a","finalizers":["theirs","karpenter.sh/termination"],
          "ownerReferences":[{"apiVersion":"karpenter.sh/v1","kind":"NodeClaim","name":"c"},{"kind":"Machine"}]},
         "spec":{"taints":[{"key":"karpenter.sh/disrupted"},{"key":"team"}]}},
        {"metadata":{"name":"not-ours","finalizers":["theirs"]},"spec":{"taints":[{"key":"karpenter.sh/disrupted"}]}},
        {"metadata":{"name":"bare"}}]})");
    ASSERT_TRUE(steps);
    ASSERT_EQ(steps->size(), 1u);
    EXPECT_EQ(steps->front().path, "/api/v1/nodes/a");
    EXPECT_FALSE(steps->front().is_deletion);
    const json node = {{"metadata",
                        {{"finalizers", {"theirs", "karpenter.sh/termination"}},
                         {"ownerReferences",
                          {{{"apiVersion", "karpenter.sh/v1"}, {"kind", "NodeClaim"}, {"name", "c"}},
                           {{"kind", "Machine"}}}}}},
                       {"spec", {{"taints", {{{"key", "karpenter.sh/disrupted"}}, {{"key", "team"}}}}}}};
    const json after = node.patch(json::parse(steps->front().patch));
    EXPECT_EQ(after,
              json::parse(R"({"metadata":{"finalizers":["theirs"],"ownerReferences":[{"kind":"Machine"}]},
        "spec":{"taints":[{"key":"team"}]}})"));
    // What someone else has written since makes the patch fail instead of being lost.
    json changed = node;
    changed["metadata"]["finalizers"].push_back("new");
    EXPECT_ANY_THROW(changed.patch(json::parse(steps->front().patch)));
}

TEST(Orphaning, claims_lose_their_finalizer_and_are_deleted) {
    const auto steps = orphan_claims(R"({"items":[
        {"metadata":{"name":"a","finalizers":["karpenter.sh/termination"]}},{"metadata":{"name":"b"}}]})");
    ASSERT_TRUE(steps);
    ASSERT_EQ(steps->size(), 2u);
    EXPECT_EQ(steps->front().path, "/apis/karpenter.sh/v1/nodeclaims/a");
    EXPECT_EQ(json::parse(steps->front().patch)[1]["value"], json::array());
    EXPECT_TRUE(steps->back().patch.empty());
    EXPECT_TRUE(steps->front().is_deletion && steps->back().is_deletion);
}

TEST(Orphaning, classes_lose_their_finalizer_and_stay) {
    const auto steps = release_objects(
        R"({"items":[{"metadata":{"name":"a","finalizers":["karpenter.k8s.aws/termination","x"]}},
                     {"metadata":{"name":"b","finalizers":["x"]}},{"metadata":{"name":"c"}}]})",
        "/apis/karpenter.k8s.aws/v1/ec2nodeclasses");
    ASSERT_TRUE(steps);
    ASSERT_EQ(steps->size(), 1u);
    EXPECT_EQ(steps->front().path, "/apis/karpenter.k8s.aws/v1/ec2nodeclasses/a");
    EXPECT_FALSE(steps->front().is_deletion);
    EXPECT_EQ(steps->front().words, "ec2nodeclasses a");
}

TEST(Orphaning, what_is_no_list_is_an_error) {
    for (const char* text : {"", "[]", "{}", R"({"items":7})"}) {
        EXPECT_FALSE(orphan_nodes(text)) << text;
        EXPECT_FALSE(orphan_claims(text)) << text;
        EXPECT_FALSE(release_objects(text, "/x")) << text;
    }
    EXPECT_TRUE(orphan_nodes(R"({"items":null})"));
    for (const char* odd : {R"({"items":[7]})", R"({"items":[{"metadata":7,"spec":[]}]})"})
        EXPECT_TRUE(orphan_nodes(odd)) << odd;
}

}  // namespace
}  // namespace joiner::cli
