#include "cloud/ec2/feature_gates.h"

#include <gtest/gtest.h>

namespace joiner::cloud::ec2 {
namespace {

TEST(AwsFeatureGates, are_read_as_the_chart_writes_them) {
    EXPECT_FALSE(parse_aws_feature_gates("")->reboot_for_repair);
    const auto chart =
        parse_aws_feature_gates("NodeClassCEL=false,DRANVIDIAGPU=false,DRAEFA=false,RebootForRepair=true");
    ASSERT_TRUE(chart);
    EXPECT_TRUE(chart->reboot_for_repair);
    EXPECT_FALSE(chart->node_class_cel);
    EXPECT_TRUE(parse_aws_feature_gates("NodeClassCEL=true,RebootForRepair=false")->node_class_cel);
    EXPECT_FALSE(parse_aws_feature_gates(" RebootForRepair = false , New=true,")->reboot_for_repair);
    for (const char* wrong : {"RebootForRepair", "RebootForRepair=yes", "=", "a=,b=true"})
        EXPECT_FALSE(parse_aws_feature_gates(wrong)) << wrong;
}

}  // namespace
}  // namespace joiner::cloud::ec2
