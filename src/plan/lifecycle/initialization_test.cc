#include "plan/lifecycle/initialization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

struct Case {
    const char* name;
    void (*change)(api::NodeClaim&, api::Node&);
    const char* said;
};

TEST(Initialization, what_is_missing_is_said_with_what_to_mend) {
    const Case cases[] = {
        {"nothing", [](api::NodeClaim&, api::Node&) {}, ""},
        {"not Ready",
         [](api::NodeClaim&, api::Node& node) {
             node.conditions = {{"Ready", "False", "KubeletNotReady", "cni plugin not initialized", kNow, 0}};
         },
         "node n has registered and is not Ready: cni plugin not initialized; look at its kubelet"},
        {"a startup taint",
         [](api::NodeClaim& claim, api::Node& node) {
             claim.startup_taints = {{"agent", "x", "NoExecute", {}}};
             node.taints = {{"mine", "", "NoSchedule", {}}, {"agent", "x", "NoExecute", {}}};
         },
         "node n still has the startup taint agent=x:NoExecute"},
        {"a taint of the cluster",
         [](api::NodeClaim&, api::Node& node) {
             node.taints = {{std::string(api::kCloudUninitializedTaint), "", "NoSchedule", {}}};
         },
         "node n still has the taint node.cloudprovider.kubernetes.io/uninitialized:NoSchedule"},
        {"a device",
         [](api::NodeClaim& claim, api::Node&) { claim.requests["nvidia.com/gpu"] = Quantity::of_units(1); },
         "node n does not offer the resource nvidia.com/gpu; look at its device plugin"},
        {"our own binding",
         [](api::NodeClaim&, api::Node& node) {
             node.taints = {{std::string(api::kBindingTaint), "", "NoSchedule", {}}};
         },
         ""},
    };
    for (const Case& each : cases) {
        SCOPED_TRACE(each.name);
        api::NodeClaim claim;
        api::Node node;
        node.meta.name = "n";
        node.conditions = {{"Ready", "True", "", "", kNow, 0}};
        each.change(claim, node);
        const std::string said = missing_for_initialization(claim, node);
        EXPECT_THAT(said, HasSubstr(each.said));
        EXPECT_EQ(said.empty(), std::string_view(each.said).empty()) << said;
    }
}

TEST(Initialization, patience_begins_with_the_registration) {
    api::NodeClaim claim;
    claim.meta.created = kNow;
    EXPECT_FALSE(is_late(claim, minutes{15}, kNow + minutes{14}));
    EXPECT_TRUE(is_late(claim, minutes{15}, kNow + minutes{15}));
    claim.conditions = {{"Registered", "True", "", "", kNow + minutes{10}, 0}};
    EXPECT_FALSE(is_late(claim, minutes{15}, kNow + minutes{24}));
    EXPECT_TRUE(is_late(claim, minutes{15}, kNow + minutes{25}));
    claim.conditions.push_back({"Initialized", "True", "", "", kNow + minutes{26}, 0});
    EXPECT_FALSE(is_late(claim, minutes{15}, kNow + minutes{60}));
}

TEST(Initialization, why_a_claim_was_given_up) {
    api::NodeClaim claim;
    claim.meta.name = "c";
    EXPECT_THAT(why_given_up(claim, nullptr, "registration_timeout"),
                HasSubstr("NodeClaim c has not registered as a node"));
    EXPECT_THAT(why_given_up(claim, nullptr, "launch_timeout"),
                HasSubstr("NodeClaim c was not launched in time"));
    claim.conditions = {{"Launched", "Unknown", "LaunchFailed", "the cloud is away", kNow, 0}};
    EXPECT_EQ(why_given_up(claim, nullptr, "launch_timeout"), "the cloud is away");
    api::Node node;
    node.meta.name = "n";
    EXPECT_THAT(why_given_up(claim, &node, "initialization_timeout"), HasSubstr("node n has registered"));
}

}  // namespace
}  // namespace joiner::plan
