#include "cli/plan/machines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::cli {
namespace {

using testing::ElementsAre;

api::Node node_in(const char* pool, const char* region, const char* zone) {
    api::Node out;
    out.provider_id = "aws:///" + std::string(zone) + "/i-1";
    if (*pool != 0) out.meta.labels["karpenter.sh/nodepool"] = pool;
    if (*region != 0) out.meta.labels["topology.kubernetes.io/region"] = region;
    out.meta.labels["topology.kubernetes.io/zone"] = zone;
    return out;
}

TEST(PoolPlaces, are_those_of_the_pools_own_nodes_and_else_of_most_nodes) {
    PoolPlaces places;
    EXPECT_EQ(places.of("a").region, "");
    places.add(node_in("a", "eu-west-1", "eu-west-1b"));
    places.add(node_in("a", "eu-west-1", "eu-west-1a"));
    places.add(node_in("b", "us-east-1", "us-east-1a"));
    // Sorts last, and does not say its region.
    places.add(node_in("a", "", "rack-7"));
    EXPECT_EQ(places.of("a").region, "eu-west-1");
    EXPECT_THAT(places.of("a").zones, ElementsAre("eu-west-1a", "eu-west-1b"));
    EXPECT_EQ(places.of("b").region, "us-east-1");
    EXPECT_EQ(places.of("without nodes").region, "eu-west-1");
    places.add(node_in("", "us-east-1", "us-east-1c"));
    places.add(node_in("", "us-east-1", "us-east-1c"));
    EXPECT_EQ(places.of("without nodes").region, "us-east-1") << "of most";
    EXPECT_EQ(places.of("a").region, "eu-west-1");
}

}  // namespace
}  // namespace joiner::cli
