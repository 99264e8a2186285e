#include "cloud/launch_group.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::cloud {
namespace {

TEST(LaunchGroup, is_read_as_it_is_written_and_nothing_else_is_one) {
    const LaunchGroup five{"0123abcd-1", 5};
    const struct {
        std::string text;
        std::optional<LaunchGroup> wanted;
    } cases[] = {
        {written(five), five},
        {"a/20", LaunchGroup{"a", 20}},
        {"", {}},
        {"a", {}},
        {"/5", {}},
        {"a/", {}},
        {"a/1", {}},
        {"a/21", {}},
        {"a/-5", {}},
        {"a/5/5", {}},
        {"A b/5", {}},
        {std::string(65, 'a') + "/5", {}},
        {"a/99999999999999999999", {}},
    };
    for (const auto& each : cases) {
        api::NodeClaim claim;
        claim.meta.annotations[std::string(api::kLaunchGroupAnnotation)] = each.text;
        EXPECT_EQ(launch_group_of(claim), each.wanted) << each.text;
    }
    EXPECT_EQ(launch_group_of({}), std::nullopt);
}

}  // namespace
}  // namespace joiner::cloud
