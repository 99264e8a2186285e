#include "cloud/ec2/aws/signer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace joiner::cloud::ec2::aws {
namespace {

const WallTime kNow = *parse_rfc3339("2015-08-30T12:36:00Z");

struct Vector {
    const char* name;
    const char* method;
    const char* host;
    const char* target;
    Headers headers;
    const char* body;
    const char* token;
    SigningScope scope;
    const char* signed_headers;
    const char* signature;
};

// The first four are AWS's own; the others are what botocore 1.44 signs.
const Vector kVectors[] = {
    {"get_vanilla",
     "GET",
     "example.amazonaws.com",
     "/",
     {},
     "",
     "",
     {"us-east-1", "service"},
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post_vanilla",
     "POST",
     "example.amazonaws.com",
     "/",
     {},
     "",
     "",
     {"us-east-1", "service"},
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"query_out_of_order",
     "GET",
     "example.amazonaws.com",
     "/?Param2=value2&Param1=value1",
     {},
     "",
     "",
     {"us-east-1", "service"},
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"form",
     "POST",
     "example.amazonaws.com",
     "/",
     {{"content-type", "application/x-www-form-urlencoded"}},
     "Param1=value1",
     "",
     {"us-east-1", "service"},
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"ec2_with_a_session",
     "POST",
     "ec2.us-east-1.amazonaws.com",
     "/",
     {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}},
     "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Aa%2Fb&Filter.1.Value.1=%C3%A9%20~%2A",
     "TOKEN/with+signs==",
     {"us-east-1", "ec2"},
     "content-type;host;x-amz-date;x-amz-security-token",
     "9f9c83c1d96401e2d357dca62de30a7b73a874dfb4e6b19a8623209aa1496f90"},
    {"json_with_a_port",
     "POST",
     "127.0.0.1:5000",
     "/",
     {{"content-type", "application/x-amz-json-1.0"}, {"x-amz-target", "AmazonSQS.ReceiveMessage"}},
     "{\"QueueUrl\":\"x\"}",
     "",
     {"eu-west-1", "sqs"},
     "content-type;host;x-amz-date;x-amz-target",
     "56018f8606b8053eb0014777269d80acf57f5ce4026e2de1b80920196a3c3e7f"},
    {"rest_path",
     "GET",
     "eks.us-east-1.amazonaws.com",
     "/clusters/joiner-test",
     {},
     "",
     "",
     {"us-east-1", "eks"},
     "host;x-amz-date",
     "84f15453e064c46d812e83f11180b0fd43ae52cef6a84a0888805f64cfac74b4"},
    {"arn_in_the_path",
     "GET",
     "arc-zonal-shift.us-east-1.amazonaws.com",
     "/managedresources/arn%3Aaws%3Aeks%3Aus-east-1%3A123456789012%3Acluster%2Fjoiner",
     {},
     "",
     "",
     {"us-east-1", "arc-zonal-shift"},
     "host;x-amz-date",
     "19a6a02bbc5cc070f26f6b065598edbf8c1dec982945395d05bfa6b8ad86c9a3"},
    {"dots_and_a_key_without_value",
     "GET",
     "example.amazonaws.com",
     "/a//b/../c/?k",
     {},
     "",
     "",
     {"us-east-1", "service"},
     "host;x-amz-date",
     "c2131d5d930abb002bbab50cb57ce5dae5422667bbd0a81da5018ff5834c2d24"},
};

TEST(Signer, signs_as_published_and_as_botocore_does) {
    for (const Vector& vector : kVectors) {
        SCOPED_TRACE(vector.name);
        const Credentials credentials{
            "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", vector.token, {}};
        const Headers headers =
            signature_headers({vector.method, vector.host, vector.target, vector.headers, vector.body},
                              credentials, vector.scope, kNow);
        EXPECT_EQ(headers.front(),
                  std::make_pair(std::string("x-amz-date"), std::string("20150830T123600Z")));
        EXPECT_EQ(
            headers.back().second,
            fmt::format("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/{}/{}/aws4_request, "
                        "SignedHeaders={}, Signature={}",
                        vector.scope.region, vector.scope.service, vector.signed_headers, vector.signature));
        EXPECT_EQ(headers.size(), vector.token[0] == '\0' ? 2u : 3u);
    }
}

TEST(Signer, the_host_keeps_only_a_port_that_is_not_the_schemes_own) {
    EXPECT_EQ(host_of_url("https://ec2.us-east-1.amazonaws.com"), "ec2.us-east-1.amazonaws.com");
    EXPECT_EQ(host_of_url("https://a:443/x"), "a");
    EXPECT_EQ(host_of_url("http://a:443"), "a:443");
    EXPECT_EQ(host_of_url("http://127.0.0.1:80/"), "127.0.0.1");
    EXPECT_EQ(host_of_url("http://[::1]:5000/x?y"), "[::1]:5000");
}

}  // namespace
}  // namespace joiner::cloud::ec2::aws
