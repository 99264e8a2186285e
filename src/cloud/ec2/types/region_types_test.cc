#include "cloud/ec2/types/region_types.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "cloud/ec2/aws/client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kTypesAnswer = R"(<DescribeInstanceTypesResponse><instanceTypeSet><item>
    <instanceType>z9.large</instanceType><vCpuInfo><defaultVCpus>2</defaultVCpus></vCpuInfo>
    <memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo></item></instanceTypeSet></DescribeInstanceTypesResponse>)";
constexpr std::string_view kZonesAnswer =
    R"(<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet><item><instanceType>z9.large</instanceType>
    <location>us-east-1a</location></item></instanceTypeOfferingSet></DescribeInstanceTypeOfferingsResponse>)";
constexpr std::string_view kSpotAnswer =
    R"(<DescribeSpotPriceHistoryResponse><spotPriceHistorySet><item><instanceType>z9.large</instanceType>
    <availabilityZone>us-east-1a</availabilityZone><spotPrice>0.01</spotPrice>
    <timestamp>2027-01-01T00:00:00Z</timestamp></item></spotPriceHistorySet></DescribeSpotPriceHistoryResponse>)";

class RegionTypesTest : public ::testing::Test {
  protected:
    RegionTypesTest() {
        http_.responder = [this](const io::HttpRequest& request) { return answer(request); };
    }

    std::optional<Result<io::HttpResponse>> answer(const io::HttpRequest& request) {
        std::string action = "GetProducts";
        if (const auto from = request.body.find("Action="); from != std::string::npos)
            action = request.body.substr(from + 7, request.body.find('&', from) - from - 7);
        ++asked_[action];
        if (slow_.contains(action)) return std::nullopt;
        if (broken_.contains(action)) return io::HttpResponse{500, "<html>no</html>", "text/html", 0};
        if (action == "DescribeInstanceTypes") return ok(kTypesAnswer);
        if (action == "DescribeInstanceTypeOfferings") return ok(kZonesAnswer);
        if (action == "DescribeSpotPriceHistory") return ok(kSpotAnswer);
        return io::HttpResponse{200, R"({"PriceList": []})", "application/x-amz-json-1.1", 0};
    }
    static io::HttpResponse ok(std::string_view body) { return {200, std::string(body), "text/xml", 0}; }

    bool knows(const std::string& type) {
        const auto facts = region_.facts();
        return facts != nullptr && std::any_of(facts->types.begin(), facts->types.end(),
                                               [&](const auto& info) { return info.name == type; });
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    aws::Client client_{
        loop_,
        http_,
        Rng(1),
        *aws::Endpoints::read({}, "us-east-1"),
        [this](const aws::CredentialsDone& done) {
            loop_.post([done] { done(aws::Credentials{"AKID", "secret", "", std::nullopt}); });
        },
        "test"};
    Ec2 ec2_{client_};
    Pricing pricing_{client_};
    Settings settings_;
    int changes_ = 0;
    std::set<std::string> broken_;
    std::set<std::string> slow_;
    std::map<std::string, int> asked_;
    RegionTypes region_{loop_, ec2_, pricing_, "us-east-1", settings_, [this] { ++changes_; }};
};

TEST_F(RegionTypesTest, nothing_is_known_before_ec2_has_answered) {
    EXPECT_EQ(region_.facts(), nullptr);
    loop_.run_ready();
    ASSERT_TRUE(knows("z9.large"));
    EXPECT_FALSE(knows("m5.large"));
    EXPECT_EQ(changes_, 1);
    EXPECT_EQ(region_.facts()->spot.size(), 1u);
}

TEST_F(RegionTypesTest, one_answer_that_fails_holds_up_no_other_and_is_asked_for_alone) {
    broken_ = {"DescribeSpotPriceHistory"};
    region_.facts();
    loop_.advance(minutes{2});
    ASSERT_TRUE(knows("z9.large"));
    EXPECT_TRUE(region_.facts()->spot.empty());
    EXPECT_EQ(asked_["DescribeInstanceTypes"], 1);
    broken_.clear();
    loop_.advance(minutes{10});
    EXPECT_EQ(region_.facts()->spot.size(), 1u);
    EXPECT_EQ(asked_["DescribeInstanceTypes"], 1);
    // All of them again, half a day later.
    loop_.advance(hours{13});
    EXPECT_EQ(asked_["DescribeInstanceTypes"], 2);
}

TEST_F(RegionTypesTest, the_table_stands_for_what_is_long_in_coming) {
    slow_ = {"DescribeInstanceTypes"};
    region_.facts();
    loop_.advance(seconds{29});
    EXPECT_EQ(region_.facts(), nullptr);
    loop_.advance(seconds{2});
    EXPECT_TRUE(knows("m5.large"));
    EXPECT_EQ(region_.facts()->zones.size(), 1u);
}

TEST_F(RegionTypesTest, of_another_region_the_table_knows_no_zones) {
    broken_ = {"DescribeInstanceTypeOfferings"};
    RegionTypes elsewhere{loop_, ec2_, pricing_, "eu-west-3", settings_, [] {}};
    elsewhere.facts();
    loop_.advance(minutes{2});
    EXPECT_EQ(elsewhere.facts(), nullptr);
    broken_.clear();
    loop_.advance(minutes{10});
    EXPECT_NE(elsewhere.facts(), nullptr);
}

}  // namespace
}  // namespace joiner::cloud::ec2
