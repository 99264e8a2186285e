#include "cli/uninstall/orphaning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/lease_holders.h"

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

TEST(Orphaning, nodes_that_only_our_finalizer_holds_are_named) {
    const auto going = nodes_on_their_way_out(R"({"items":[
        {"metadata":{"name":"a","deletionTimestamp":"2027-01-01T00:00:00Z","finalizers":["karpenter.sh/termination"]}},
        {"metadata":{"name":"b","deletionTimestamp":"2027-01-01T00:00:00Z","finalizers":["theirs"]}},
        {"metadata":{"name":"c","finalizers":["karpenter.sh/termination"]}}]})");
    ASSERT_TRUE(going);
    EXPECT_THAT(*going, testing::ElementsAre("a"));
}

std::string lease_list(const std::string& name, const std::string& holder, const std::string& renewed) {
    return R"({"items":[{"metadata":{"namespace":"n","name":")" + name + R"("},"spec":{"holderIdentity":")" +
           holder + R"(","renewTime":")" + renewed + R"("}}]})";
}

TEST(LeaseHolders, whoever_renews_a_lease_while_one_looks_runs_whatever_the_clocks_say) {
    const char* const joiner = "pod-0_0123456789abcdef";
    struct Case {
        const char* name;
        const char* holder;
        const char* before;
        const char* after;
        bool runs;
        bool has_any;
    };
    const Case cases[] = {
        {"karpenter-leader-election", joiner, "2020-01-01T00:00:00Z", "2020-01-01T00:00:20Z", true, true},
        {"karpenter-leader-election", joiner, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", false, true},
        {"karpenter-leader-election", "", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", false, true},
        {"mine", joiner, "2020-01-01T00:00:00Z", "2020-01-01T00:00:20Z", true, true},
        {"some-operator", "pod-1", "2020-01-01T00:00:00Z", "2020-01-01T00:00:20Z", false, false},
    };
    for (const Case& c : cases) {
        const auto active =
            active_holders(lease_list(c.name, c.holder, c.before), lease_list(c.name, c.holder, c.after));
        ASSERT_TRUE(active) << c.name;
        EXPECT_EQ(!active->holders.empty(), c.runs) << c.name << " " << c.after;
        EXPECT_EQ(active->has_any, c.has_any) << c.name;
    }
    EXPECT_FALSE(active_holders("", R"({"items":[]})"));
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
