#include "rules/node_pool_rules.h"

#include <gtest/gtest.h>

namespace joiner::rules {
namespace {

using namespace std::chrono_literals;

api::NodePool bare_pool() {
    api::NodePool pool;
    pool.node_template.expire_after = {std::nullopt, "Never"};
    return pool;
}

TEST(NodePoolHash, agrees_with_upstream_step_by_step) {
    api::NodePool pool = bare_pool();
    api::NodePoolTemplate& t = pool.node_template;
    EXPECT_EQ(node_pool_hash(pool), "17307646073972311821");
    t.node_class = {"karpenter.kwok.sh", "KWOKNodeClass", "default"};
    EXPECT_EQ(node_pool_hash(pool), "7428780003907761376");
    t.expire_after = {720h, "720h"};
    EXPECT_EQ(node_pool_hash(pool), "12745407319442031341");
    t.labels["a"] = "b";
    EXPECT_EQ(node_pool_hash(pool), "8546743665302634964");
    t.annotations["x"] = "y";
    EXPECT_EQ(node_pool_hash(pool), "11520201014358539654");
    t.taints = {{"k", "v", "NoSchedule", {}}};
    EXPECT_EQ(node_pool_hash(pool), "3129472617507865566");
    t.startup_taints = {{"s", "", "NoExecute", {}}};
    EXPECT_EQ(node_pool_hash(pool), "3336355024456221224");
    t.termination_grace_period = 30min;
    EXPECT_EQ(node_pool_hash(pool), "11751274230838051854");
}

TEST(NodePoolHash, the_order_of_taints_does_not_matter) {
    api::NodePool pool = bare_pool();
    pool.node_template.taints = {{"k", "v", "NoSchedule", {}}, {"k2", "", "NoExecute", {}}};
    EXPECT_EQ(node_pool_hash(pool), "11136711202253366570");
    std::swap(pool.node_template.taints[0], pool.node_template.taints[1]);
    EXPECT_EQ(node_pool_hash(pool), "11136711202253366570");
}

TEST(NodePoolHash, what_never_drifts_is_not_hashed) {
    api::NodePool pool = bare_pool();
    pool.node_template.requirements = {{"kubernetes.io/arch", "In", {"amd64"}, {}}};
    pool.weight = 7;
    pool.limits.emplace();
    EXPECT_EQ(node_pool_hash(pool), "17307646073972311821");
}

TEST(ValidateNodePool, each_mistake_is_named) {
    struct Case {
        const char* name;
        void (*edit)(api::NodePool&);
        const char* expected;  // A part of the text; empty: valid.
    };
    const Case cases[] = {
        {"a plain pool", [](api::NodePool&) {}, ""},
        {"a taint twice",
         [](api::NodePool& p) {
             p.node_template.taints = {{"k", "a", "NoSchedule", {}}};
             p.node_template.startup_taints = {{"k", "b", "NoSchedule", {}}};
         },
         "k:NoSchedule stands there twice"},
        {"a restricted label", [](api::NodePool& p) { p.node_template.labels["x.karpenter.sh/y"] = "1"; },
         "restricted domain karpenter.sh"},
        {"a restricted requirement",
         [](api::NodePool& p) {
             p.node_template.requirements = {{"kubernetes.io/hostname", "In", {"a"}, {}}};
         },
         "set by the controller alone"},
        {"a name that only looks restricted",
         [](api::NodePool& p) { p.node_template.labels["notkarpenter.sh/y"] = "1"; }, ""},
        {"an unknown operator",
         [](api::NodePool& p) { p.node_template.requirements = {{"a", "Like", {"b"}, {}}}; },
         "operator \"Like\""},
        {"In without values", [](api::NodePool& p) { p.node_template.requirements = {{"a", "In", {}, {}}}; },
         "lists no value"},
        {"minValues above the list",
         [](api::NodePool& p) { p.node_template.requirements = {{"a", "In", {"b"}, 2}}; }, "fewer values"},
        {"an unknown capacity type",
         [](api::NodePool& p) {
             p.node_template.requirements = {{"karpenter.sh/capacity-type", "In", {"free"}, {}}};
         },
         "none of on-demand, spot, reserved"},
        {"one unknown capacity type beside a known one",
         [](api::NodePool& p) {
             p.node_template.requirements = {{"karpenter.sh/capacity-type", "In", {"free", "spot"}, {}}};
         },
         ""},
        {"a negative bound",
         [](api::NodePool& p) { p.node_template.requirements = {{"a", "Gt", {"-1"}, {}}}; }, "negative"},
        {"a label value too long",
         [](api::NodePool& p) { p.node_template.labels["a"] = std::string(64, 'x'); },
         "is not a label value"},
    };
    for (const Case& c : cases) {
        api::NodePool pool = bare_pool();
        c.edit(pool);
        const std::string problems = validate_node_pool(pool, RestrictedLabels{});
        if (*c.expected == '\0') {
            EXPECT_EQ(problems, "") << c.name;
        } else {
            EXPECT_NE(problems.find(c.expected), std::string::npos) << c.name << ": " << problems;
        }
    }
}

}  // namespace
}  // namespace joiner::rules
