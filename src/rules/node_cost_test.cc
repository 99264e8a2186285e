#include "rules/node_cost.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::rules {
namespace {

TEST(NodeCost, is_a_number_of_dollars) {
    const struct {
        const char* text;
        double dollars;  // Below zero: refused.
    } cases[] = {
        {"0", 0},     {"0.03", 0.03}, {"2", 2},    {"1e-3", 0.001}, {"", -1},      {"-1", -1},
        {"free", -1}, {"0.03$", -1},  {"nan", -1}, {"inf", -1},     {"1e300", -1}, {" 1", -1},
    };
    for (const auto& c : cases) {
        api::NodePool pool;
        pool.meta.annotations[std::string(api::kNodeCostAnnotation)] = c.text;
        const auto cost = node_cost(pool);
        ASSERT_EQ(cost.has_value(), c.dollars >= 0) << c.text;
        if (cost) {
            EXPECT_EQ(*cost, Money::from_dollars(c.dollars)) << c.text;
        } else {
            EXPECT_NE(cost.error().message.find(api::kNodeCostAnnotation), std::string::npos);
        }
    }
}

TEST(NodeCost, is_nothing_where_the_pool_does_not_say) {
    EXPECT_EQ(*node_cost({}), Money{});
}

}  // namespace
}  // namespace joiner::rules
