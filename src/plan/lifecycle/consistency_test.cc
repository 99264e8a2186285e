#include "plan/lifecycle/consistency.h"

#include <gtest/gtest.h>

namespace joiner::plan {
namespace {

TEST(Inconsistency, s4_7_is_less_than_nine_tenths_of_what_was_asked_for_and_promised) {
    const struct {
        const char* name;
        api::ResourceMap requests;
        std::int64_t promised;
        std::int64_t there;
        bool is_consistent;
    } cases[] = {
        {"as promised", {{"cpu", Quantity::of_units(1)}}, 10, 10, true},
        {"exactly nine tenths", {{"cpu", Quantity::of_units(1)}}, 10, 9, true},
        {"less", {{"cpu", Quantity::of_units(1)}}, 100, 89, false},
        {"none", {{"cpu", Quantity::of_units(1)}}, 10, 0, false},
        {"nobody asked for it", {}, 10, 0, true},
        {"asked for none of it", {{"cpu", Quantity{}}}, 10, 0, true},
        {"nothing was promised", {{"cpu", Quantity::of_units(1)}}, 0, 0, true},
    };
    for (const auto& c : cases) {
        api::NodeClaim claim;
        claim.requests = c.requests;
        claim.capacity = {{"cpu", Quantity::of_units(c.promised)}};
        api::Node node;
        node.capacity = {{"cpu", Quantity::of_units(c.there)}};
        const std::string problem = inconsistency(claim, node);
        EXPECT_EQ(problem.empty(), c.is_consistent) << c.name << ": " << problem;
    }
}

}  // namespace
}  // namespace joiner::plan
