#include "cloud/ec2/aws/profile_files.h"

#include <gtest/gtest.h>

namespace joiner::cloud::ec2::aws {
namespace {

TEST(ProfileFiles, profiles_of_both_files_are_one) {
    const auto files = parse_profile_files(
        "# a comment\n[default]\nregion=us-west-2 # where we are\n\n[profile dev]\nRole_ARN = "
        "arn:aws:iam::1:role/r\n"
        "source_profile = default\ns3 =\n  max_concurrent_requests = 20\noutput = json\n[sso-session x]\na = "
        "b\n",
        "[default]\naws_access_key_id = AKID\naws_secret_access_key = a=b#c\r\n[dev]\nrole_arn = other\n");
    ASSERT_TRUE(files);
    EXPECT_EQ(files->find("default")->at("region"), "us-west-2");
    EXPECT_EQ(files->find("default")->at("aws_secret_access_key"), "a=b#c");
    EXPECT_EQ(files->find("dev")->at("role_arn"), "other");
    EXPECT_EQ(files->find("dev")->at("s3.max_concurrent_requests"), "20");
    EXPECT_EQ(files->find("dev")->at("output"), "json");
    EXPECT_EQ(files->find("x"), nullptr);
}

TEST(ProfileFiles, a_wrong_line_is_named_and_not_quoted) {
    for (const char* text : {"key = SECRET\n", "[default\n", "[default]\nSECRET\n"}) {
        const auto files = parse_profile_files("", text);
        ASSERT_FALSE(files);
        EXPECT_EQ(files.error().message.find("SECRET"), std::string::npos);
        EXPECT_NE(files.error().message.find("line "), std::string::npos);
    }
}

}  // namespace
}  // namespace joiner::cloud::ec2::aws
