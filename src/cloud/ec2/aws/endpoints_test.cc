#include "cloud/ec2/aws/endpoints.h"

#include <gtest/gtest.h>

namespace joiner::cloud::ec2::aws {
namespace {

struct Known {
    const char* region;
    const char* service;
    bool fips;
    bool dual_stack;
    const char* url;
    const char* signing_region;
};

// What botocore 1.44 calls, and what it signs for.
const Known kKnown[] = {
    {"us-east-1", "ec2", false, false, "https://ec2.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "ec2", true, false, "https://ec2-fips.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "ec2", false, true, "https://ec2.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "ec2", true, true, "https://ec2-fips.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "iam", false, false, "https://iam.amazonaws.com", "us-east-1"},
    {"us-east-1", "iam", true, false, "https://iam-fips.amazonaws.com", "us-east-1"},
    {"us-east-1", "iam", false, true, "https://iam.global.api.aws", "us-east-1"},
    {"us-east-1", "iam", true, true, "https://iam-fips.global.api.aws", "us-east-1"},
    {"us-east-1", "sts", false, false, "https://sts.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "sts", true, false, "https://sts-fips.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "sts", false, true, "https://sts.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "sts", true, true, "https://sts-fips.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "sqs", false, false, "https://sqs.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "sqs", true, false, "https://sqs-fips.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "sqs", false, true, "https://sqs.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "sqs", true, true, "https://sqs-fips.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "ssm", false, false, "https://ssm.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "ssm", true, false, "https://ssm-fips.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "ssm", false, true, "https://ssm.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "ssm", true, true, "https://ssm-fips.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "eks", false, false, "https://eks.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "eks", true, false, "https://fips.eks.us-east-1.amazonaws.com", "us-east-1"},
    {"us-east-1", "eks", false, true, "https://eks.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "eks", true, true, "https://eks-fips.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.us-east-1.amazonaws.com",
     "us-east-1"},
    {"us-east-1", "arc-zonal-shift", true, false, "https://arc-zonal-shift-fips.us-east-1.amazonaws.com",
     "us-east-1"},
    {"us-east-1", "arc-zonal-shift", false, true, "https://arc-zonal-shift.us-east-1.api.aws", "us-east-1"},
    {"us-east-1", "arc-zonal-shift", true, true, "https://arc-zonal-shift-fips.us-east-1.api.aws",
     "us-east-1"},
    {"eu-west-1", "ec2", false, false, "https://ec2.eu-west-1.amazonaws.com", "eu-west-1"},
    {"eu-west-1", "ec2", false, true, "https://ec2.eu-west-1.api.aws", "eu-west-1"},
    {"eu-west-1", "iam", false, false, "https://iam.amazonaws.com", "us-east-1"},
    {"eu-west-1", "iam", false, true, "https://iam.global.api.aws", "us-east-1"},
    {"eu-west-1", "sts", false, false, "https://sts.eu-west-1.amazonaws.com", "eu-west-1"},
    {"eu-west-1", "sts", false, true, "https://sts.eu-west-1.api.aws", "eu-west-1"},
    {"eu-west-1", "sqs", false, false, "https://sqs.eu-west-1.amazonaws.com", "eu-west-1"},
    {"eu-west-1", "sqs", false, true, "https://sqs.eu-west-1.api.aws", "eu-west-1"},
    {"eu-west-1", "ssm", false, false, "https://ssm.eu-west-1.amazonaws.com", "eu-west-1"},
    {"eu-west-1", "ssm", false, true, "https://ssm.eu-west-1.api.aws", "eu-west-1"},
    {"eu-west-1", "eks", false, false, "https://eks.eu-west-1.amazonaws.com", "eu-west-1"},
    {"eu-west-1", "eks", false, true, "https://eks.eu-west-1.api.aws", "eu-west-1"},
    {"eu-west-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.eu-west-1.amazonaws.com",
     "eu-west-1"},
    {"eu-west-1", "arc-zonal-shift", false, true, "https://arc-zonal-shift.eu-west-1.api.aws", "eu-west-1"},
    {"ap-southeast-2", "ec2", false, false, "https://ec2.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "ec2", false, true, "https://ec2.ap-southeast-2.api.aws", "ap-southeast-2"},
    {"ap-southeast-2", "iam", false, false, "https://iam.amazonaws.com", "us-east-1"},
    {"ap-southeast-2", "iam", false, true, "https://iam.global.api.aws", "us-east-1"},
    {"ap-southeast-2", "sts", false, false, "https://sts.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "sts", false, true, "https://sts.ap-southeast-2.api.aws", "ap-southeast-2"},
    {"ap-southeast-2", "sqs", false, false, "https://sqs.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "sqs", false, true, "https://sqs.ap-southeast-2.api.aws", "ap-southeast-2"},
    {"ap-southeast-2", "ssm", false, false, "https://ssm.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "ssm", false, true, "https://ssm.ap-southeast-2.api.aws", "ap-southeast-2"},
    {"ap-southeast-2", "eks", false, false, "https://eks.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "eks", false, true, "https://eks.ap-southeast-2.api.aws", "ap-southeast-2"},
    {"ap-southeast-2", "arc-zonal-shift", false, false,
     "https://arc-zonal-shift.ap-southeast-2.amazonaws.com", "ap-southeast-2"},
    {"ap-southeast-2", "arc-zonal-shift", false, true, "https://arc-zonal-shift.ap-southeast-2.api.aws",
     "ap-southeast-2"},
    {"cn-north-1", "ec2", false, false, "https://ec2.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "ec2", false, true, "https://ec2.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "iam", false, false, "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "iam", false, true, "https://iam.global.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "sts", false, false, "https://sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "sts", false, true, "https://sts.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "sqs", false, false, "https://sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "sqs", false, true, "https://sqs.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "ssm", false, false, "https://ssm.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "ssm", false, true, "https://ssm.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "eks", false, false, "https://eks.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"cn-north-1", "eks", false, true, "https://eks.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"cn-north-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.cn-north-1.amazonaws.com.cn",
     "cn-north-1"},
    {"cn-north-1", "arc-zonal-shift", false, true,
     "https://arc-zonal-shift.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"us-gov-west-1", "ec2", false, false, "https://ec2.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "ec2", true, false, "https://ec2.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "ec2", false, true, "https://ec2.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "ec2", true, true, "https://ec2-fips.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "iam", false, false, "https://iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "iam", true, false, "https://iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "iam", false, true, "https://iam.us-gov.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "iam", true, true, "https://iam.us-gov.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "sts", false, false, "https://sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "sts", true, false, "https://sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "sts", false, true, "https://sts.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "sts", true, true, "https://sts-fips.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "sqs", false, false, "https://sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "sqs", true, false, "https://sqs.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "sqs", false, true, "https://sqs.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "sqs", true, true, "https://sqs-fips.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "ssm", false, false, "https://ssm.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "ssm", true, false, "https://ssm.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "ssm", false, true, "https://ssm.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "ssm", true, true, "https://ssm-fips.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "eks", false, false, "https://eks.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "eks", true, false, "https://eks.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "eks", false, true, "https://eks.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "eks", true, true, "https://eks-fips.us-gov-west-1.api.aws", "us-gov-west-1"},
    {"us-gov-west-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.us-gov-west-1.amazonaws.com",
     "us-gov-west-1"},
    {"us-gov-west-1", "arc-zonal-shift", true, false,
     "https://arc-zonal-shift-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"us-gov-west-1", "arc-zonal-shift", false, true, "https://arc-zonal-shift.us-gov-west-1.api.aws",
     "us-gov-west-1"},
    {"us-gov-west-1", "arc-zonal-shift", true, true, "https://arc-zonal-shift-fips.us-gov-west-1.api.aws",
     "us-gov-west-1"},
    {"us-iso-east-1", "ec2", false, false, "https://ec2.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "iam", false, false, "https://iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "sts", false, false, "https://sts.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "sqs", false, false, "https://sqs.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "ssm", false, false, "https://ssm.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "eks", false, false, "https://eks.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
    {"us-iso-east-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.us-iso-east-1.c2s.ic.gov",
     "us-iso-east-1"},
    {"eusc-de-east-1", "ec2", false, false, "https://ec2.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "ec2", false, true, "https://ec2.eusc-de-east-1.api.amazonwebservices.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "iam", false, false, "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "iam", false, true, "https://iam.global.api.amazonwebservices.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "sts", false, false, "https://sts.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "sts", false, true, "https://sts.eusc-de-east-1.api.amazonwebservices.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "sqs", false, false, "https://sqs.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "sqs", false, true, "https://sqs.eusc-de-east-1.api.amazonwebservices.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "ssm", false, false, "https://ssm.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "ssm", false, true, "https://ssm.eusc-de-east-1.api.amazonwebservices.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "eks", false, false, "https://eks.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"eusc-de-east-1", "eks", false, true, "https://eks.eusc-de-east-1.api.amazonwebservices.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "arc-zonal-shift", false, false, "https://arc-zonal-shift.eusc-de-east-1.amazonaws.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "arc-zonal-shift", false, true,
     "https://arc-zonal-shift.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"},
    {"us-east-1", "savingsplans", false, false, "https://savingsplans.amazonaws.com", "us-east-1"},
    {"us-east-1", "savingsplans", true, false, "https://savingsplans-fips.us-east-1.amazonaws.com",
     "us-east-1"},
    {"us-east-1", "savingsplans", false, true, "https://savingsplans.global.api.aws", "us-east-1"},
    {"us-east-1", "savingsplans", true, true, "https://savingsplans-fips.us-east-1.api.aws", "us-east-1"},
    {"eu-west-1", "savingsplans", false, false, "https://savingsplans.amazonaws.com", "us-east-1"},
    {"eu-west-1", "savingsplans", false, true, "https://savingsplans.global.api.aws", "us-east-1"},
    {"cn-north-1", "savingsplans", false, false, "https://savingsplans.cn-north-1.amazonaws.com.cn",
     "cn-north-1"},
    {"cn-north-1", "savingsplans", false, true,
     "https://savingsplans.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"},
    {"us-gov-west-1", "savingsplans", false, false, "https://savingsplans.us-gov-west-1.amazonaws.com",
     "us-gov-west-1"},
    {"us-gov-west-1", "savingsplans", true, false, "https://savingsplans-fips.us-gov-west-1.amazonaws.com",
     "us-gov-west-1"},
    {"us-gov-west-1", "savingsplans", false, true, "https://savingsplans.us-gov-west-1.api.aws",
     "us-gov-west-1"},
    {"us-gov-west-1", "savingsplans", true, true, "https://savingsplans-fips.us-gov-west-1.api.aws",
     "us-gov-west-1"},
    {"us-iso-east-1", "savingsplans", false, false, "https://savingsplans.us-iso-east-1.c2s.ic.gov",
     "us-iso-east-1"},
    {"eusc-de-east-1", "savingsplans", false, false, "https://savingsplans.eusc-de-east-1.amazonaws.eu",
     "eusc-de-east-1"},
    {"eusc-de-east-1", "savingsplans", false, true,
     "https://savingsplans.eusc-de-east-1.api.amazonwebservices.eu", "eusc-de-east-1"},
};

Service service_named(std::string_view name) {
    for (int i = 0;; ++i) {
        if (name_of(static_cast<Service>(i)) == name) return static_cast<Service>(i);
    }
}

TEST(Endpoints, are_those_of_the_partition_and_of_fips_and_dual_stack) {
    for (const Known& known : kKnown) {
        SCOPED_TRACE(std::string(known.region) + " " + known.service);
        Environment environment;
        environment.variables = {{"AWS_REGION", known.region},
                                 {"AWS_USE_FIPS_ENDPOINT", known.fips ? "true" : "false"},
                                 {"AWS_USE_DUALSTACK_ENDPOINT", known.dual_stack ? "true" : "false"}};
        const auto endpoints = Endpoints::read(environment, "");
        ASSERT_TRUE(endpoints);
        const ServiceEndpoint endpoint = endpoints->of(service_named(known.service));
        EXPECT_EQ(endpoint.url, known.url);
        EXPECT_EQ(endpoint.signing_region, known.signing_region);
    }
}

TEST(Endpoints, prices_are_asked_for_where_they_are_listed) {
    const std::pair<const char*, const char*> kCases[] = {
        {"us-west-2", "https://api.pricing.us-east-1.amazonaws.com"},
        {"sa-east-1", "https://api.pricing.us-east-1.amazonaws.com"},
        {"ap-northeast-2", "https://api.pricing.ap-south-1.amazonaws.com"},
        {"eu-west-1", "https://api.pricing.eu-central-1.amazonaws.com"},
        {"cn-north-1", "https://api.pricing.cn-northwest-1.amazonaws.com.cn"},
    };
    for (const auto& [region, url] : kCases)
        EXPECT_EQ(Endpoints::read({}, region)->of(Service::kPricing).url, url);
}

// As AWS's tools have it: the environment goes before the profile, and one service before all.
TEST(Endpoints, are_set_by_the_environment_and_by_profiles) {
    Environment environment;
    environment.variables = {{"AWS_PROFILE", "test"}};
    environment.files = *parse_profile_files(
        "[profile test]\nregion = eu-west-3\nendpoint_url = http://all:1/\nservices = mine\n"
        "[services mine]\nec2 =\n  endpoint_url = http://ec2-of-profile:2\n",
        "");
    auto endpoints = Endpoints::read(environment, "us-east-1");
    ASSERT_TRUE(endpoints);
    EXPECT_EQ(endpoints->region(), "eu-west-3");
    EXPECT_EQ(endpoints->of(Service::kEc2).url, "http://ec2-of-profile:2");
    EXPECT_EQ(endpoints->of(Service::kSqs).url, "http://all:1");
    EXPECT_EQ(endpoints->of(Service::kIam).signing_region, "us-east-1");

    environment.variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:5000";
    environment.variables["AWS_ENDPOINT_URL_ARC_ZONAL_SHIFT"] = "http://127.0.0.1:5001";
    endpoints = Endpoints::read(environment, "");
    EXPECT_EQ(endpoints->of(Service::kEc2).url, "http://127.0.0.1:5000");
    EXPECT_EQ(endpoints->of(Service::kZonalShift).url, "http://127.0.0.1:5001");

    environment.variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
    EXPECT_EQ(Endpoints::read(environment, "")->of(Service::kEc2).url, "https://ec2.eu-west-3.amazonaws.com");
}

TEST(Endpoints, what_cannot_be_used_is_said) {
    EXPECT_FALSE(Endpoints::read({}, ""));
    Environment environment;
    environment.variables = {{"AWS_REGION", "us-east-1"}, {"AWS_USE_FIPS_ENDPOINT", "yes"}};
    EXPECT_FALSE(Endpoints::read(environment, ""));
    environment.variables = {{"AWS_REGION", "us-east-1"}, {"AWS_ENDPOINT_URL", "127.0.0.1:5000"}};
    EXPECT_FALSE(Endpoints::read(environment, ""));
}

}  // namespace
}  // namespace joiner::cloud::ec2::aws
