#include "cloud/ec2/launch/fleet_plans.h"

#include <gtest/gtest.h>

#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

TEST(FleetPlans, a_claim_that_must_be_dedicated_has_a_plan_of_its_own) {
    const auto types = std::make_shared<const std::vector<rules::InstanceType>>(testing::bench_types());
    LaunchRequest request = cloud::testing::request_for("a", "uid-a", types, testing::ready_class(), kNoTime);
    const Ec2NodeClass node_class = *parse_node_class(*request.node_class);
    const ClassStatus status = read_status(*request.node_class);
    const Settings settings{.cluster_name = "test",
                            .cluster_endpoint = "https://cluster",
                            .cluster_ca = "Y2E=",
                            .service_cidr = "10.0.0.0/16"};
    const FleetGround ground = {.node_class = node_class,
                                .status = status,
                                .settings = settings,
                                .subnets = {{"us-east-1a", "subnet-a"}}};
    FleetPlans plans;
    const auto shared = *plans.plan(request, {}, ground);
    EXPECT_EQ(*plans.plan(request, {}, ground), shared) << "it is planned once";
    request.claim.requirements = {{std::string(kTenancyLabel), "In", {"dedicated"}, {}}};
    const auto dedicated = *plans.plan(request, {}, ground);
    EXPECT_EQ(shared->parts.front().launch_template.tenancy, "");
    EXPECT_EQ(dedicated->parts.front().launch_template.tenancy, "dedicated");
}

}  // namespace
}  // namespace joiner::cloud::ec2
