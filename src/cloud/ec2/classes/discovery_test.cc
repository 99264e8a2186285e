#include "cloud/ec2/classes/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class DiscoveryTest : public ::testing::Test {
  protected:
    DiscoveryTest() {
        http_.responder = [this](const io::HttpRequest& request) { return answer_to(request); };
    }
    io::HttpResponse answer_to(const io::HttpRequest& request) {
        for (const char* action : {"DescribeSubnets", "DescribeSecurityGroups", "DescribeImages"}) {
            if (!request.body.starts_with("Action=" + std::string(action))) continue;
            ++calls_[action];
            if (is_away_) return {500, "", "", 0};
            const std::string set = action == std::string("DescribeSubnets")  ? "subnetSet"
                                    : action == std::string("DescribeImages") ? "imagesSet"
                                                                              : "securityGroupInfo";
            return {200, fmt::format("<{0}Response><{1}>{2}</{1}></{0}Response>", action, set, items_), "",
                    0};
        }
        ++calls_["GetParameter"];
        if (parameter_.empty()) return {400, R"({"__type":"ParameterNotFound"})", "", 0};
        return {200, fmt::format(R"({{"Parameter":{{"Value":"{}"}}}})", parameter_), "", 0};
    }
    template <typename T>
    aws::Done<T> count() {
        return [this](const aws::Answer<T>& answer) { ++(answer ? found_ : failed_); };
    }
    void ask_subnets(const std::string& cluster) {
        discovery_.subnets({{"tag:cluster", {cluster}}}, count<std::vector<Subnet>>());
    }
    void ask_parameter(const ImageParameter& parameter) {
        discovery_.parameter(parameter, count<std::string>());
        loop_.advance(seconds{1});
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    aws::Client client_ = aws::test_client(loop_, http_);
    Ec2 ec2_{client_};
    Ssm ssm_{client_};
    SubnetChoice choice_;
    Settings settings_{.cluster_name = "test", .subnet_refresh = minutes{2}};
    Discovery discovery_{loop_, ec2_, ssm_, choice_, settings_};
    std::map<std::string, int> calls_;
    std::string items_;
    std::string parameter_ = "ami-1";
    bool is_away_ = false;
    int found_ = 0;
    int failed_ = 0;
};

TEST_F(DiscoveryTest, classes_with_one_selector_are_one_call_for_as_long_as_the_setting_says) {
    ask_subnets("a");
    ask_subnets("a");
    EXPECT_EQ(found_, 0) << "no answer comes from inside the call";
    loop_.advance(seconds{1});
    EXPECT_EQ(found_, 2);
    loop_.advance(minutes{2} - seconds{2});
    ask_subnets("a");
    loop_.run_ready();
    EXPECT_EQ(found_, 3);
    EXPECT_EQ(calls_["DescribeSubnets"], 1);
    ask_subnets("b");
    loop_.advance(seconds{2});
    EXPECT_EQ(calls_["DescribeSubnets"], 2) << "another question";
    ask_subnets("a");
    loop_.advance(seconds{1});
    EXPECT_EQ(calls_["DescribeSubnets"], 3) << "its time is over";
    EXPECT_EQ(found_, 5);
}

TEST_F(DiscoveryTest, groups_and_images_have_times_of_their_own) {
    const auto ask = [&] {
        discovery_.security_groups({{"group-id", {"sg-1"}}}, count<std::vector<SecurityGroup>>());
        discovery_.images({{"image-id", {"ami-1"}}}, {}, count<std::vector<Image>>());
        discovery_.images({{"image-id", {"ami-1"}}}, {"self"}, count<std::vector<Image>>());
        loop_.advance(seconds{30});
    };
    ask();
    ask();
    EXPECT_EQ(calls_["DescribeSecurityGroups"], 1);
    EXPECT_EQ(calls_["DescribeImages"], 2);
    ask();
    EXPECT_EQ(calls_["DescribeSecurityGroups"], 2);
    EXPECT_EQ(found_, 9);
}

TEST_F(DiscoveryTest, an_error_is_told_to_all_and_not_kept) {
    is_away_ = true;
    ask_subnets("a");
    ask_subnets("a");
    loop_.advance(minutes{1});
    EXPECT_EQ(failed_, 2);
    is_away_ = false;
    ask_subnets("a");
    loop_.advance(seconds{1});
    EXPECT_EQ(found_, 1);
}

TEST_F(DiscoveryTest, free_addresses_are_heard_of_once_an_answer) {
    items_ =
        "<item><subnetId>subnet-a</subnetId><availabilityZone>a</availabilityZone>"
        "<availableIpAddressCount>1</availableIpAddressCount></item>";
    ask_subnets("a");
    loop_.advance(seconds{1});
    ClassStatus status;
    status.subnets = {{"subnet-a", "a", ""}};
    EXPECT_THAT(choice_.choose(status), SizeIs(1));
    choice_.used("subnet-a", 1);
    ask_subnets("a");
    loop_.advance(seconds{1});
    EXPECT_THAT(choice_.choose(status), SizeIs(0)) << "what was kept is older than the launch";
}

TEST_F(DiscoveryTest, the_image_of_an_alias_is_believed_for_a_day_or_until_it_is_deprecated) {
    const ImageParameter alias = {"/aws/service/x", "amd64", {ImageVariant::kStandard}};
    const ImageParameter own = {"/aws/service/x", "", {ImageVariant::kAny}};
    ask_parameter(alias);
    ask_parameter(own);
    EXPECT_EQ(calls_["GetParameter"], 2);
    loop_.advance(minutes{40});
    ask_parameter(alias);
    EXPECT_EQ(calls_["GetParameter"], 2);
    ask_parameter(own);
    EXPECT_EQ(calls_["GetParameter"], 3) << "one that a class names itself may change sooner";
    items_ = "<item><imageId>ami-1</imageId><deprecationTime>2026-01-01T00:00:00Z</deprecationTime></item>";
    discovery_.images({{"image-id", {"ami-1"}}}, {}, count<std::vector<Image>>());
    loop_.advance(seconds{1});
    parameter_ = "ami-2";
    ask_parameter(alias);
    EXPECT_EQ(calls_["GetParameter"], 4);
    loop_.advance(hours{24});
    ask_parameter(alias);
    EXPECT_EQ(calls_["GetParameter"], 5);
}

TEST_F(DiscoveryTest, a_parameter_that_is_not_there_is_looked_for_again) {
    parameter_.clear();
    const ImageParameter alias = {"/aws/service/x", "amd64", {ImageVariant::kStandard}};
    ask_parameter(alias);
    ask_parameter(alias);
    EXPECT_EQ(failed_, 2);
    EXPECT_EQ(calls_["GetParameter"], 2);
}

}  // namespace
}  // namespace joiner::cloud::ec2
