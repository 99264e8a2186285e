#include "cloud/ec2/commitments/account_commitments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using rules::Commitment;
using rules::CommitmentKind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr WallTime kNow{hours{400'000}};

ReservedInstances reserved(const std::string& type, std::int64_t count) {
    return {"r-1", type, "Region", "", "Linux/UNIX", "default", "active", count, kNow + hours{1}};
}

PlanWithRates compute_plan(const std::string& id) {
    return {{id, "Compute", "active", "", "", rules::Money::from_dollars(2), kNow + hours{1}},
            {{"c7g.large", rules::Money::from_dollars(0.05)}}};
}

TEST(CommitmentsOf, what_does_not_hold_now_and_here_is_left_out) {
    ReservedInstances retired = reserved("m5.large", 1);
    retired.state = "retired";
    ReservedInstances ended = reserved("m5.large", 1);
    ended.ends = kNow;
    ReservedInstances dedicated = reserved("m5.large", 1);
    dedicated.tenancy = "dedicated";
    ReservedInstances of_red_hat = reserved("m5.large", 1);
    of_red_hat.product = "Red Hat Enterprise Linux";
    ReservedInstances nowhere = reserved("m5.large", 1);
    nowhere.scope = "Availability Zone";
    EXPECT_THAT(
        commitments_of({retired, ended, dedicated, of_red_hat, nowhere, reserved("large", 1)}, {}, "r", kNow),
        IsEmpty());

    PlanWithRates of_sage_maker = compute_plan("a");
    of_sage_maker.plan.kind = "SageMaker";
    PlanWithRates elsewhere = compute_plan("b");
    elsewhere.plan.kind = "EC2Instance";
    elsewhere.plan.family = "c7g";
    elsewhere.plan.region = "eu-west-1";
    PlanWithRates over = compute_plan("c");
    over.plan.ends = kNow;
    PlanWithRates queued = compute_plan("d");
    queued.plan.state = "queued";
    PlanWithRates without_rates = compute_plan("e");
    without_rates.rates.clear();
    EXPECT_THAT(commitments_of({}, {of_sage_maker, elsewhere, over, queued, without_rates}, "r", kNow),
                IsEmpty());
}

TEST(CommitmentsOf, what_is_alike_is_one) {
    ReservedInstances zonal = reserved("m5.large", 2);
    zonal.scope = "Availability Zone";
    zonal.zone = "a";
    ReservedInstances windows = reserved("m5.large", 1);
    windows.product = "Windows (Amazon VPC)";
    PlanWithRates of_family = compute_plan("f");
    of_family.plan.kind = "EC2Instance";
    of_family.plan.family = "c7g";
    of_family.plan.region = "r";
    PlanWithRates dearer = compute_plan("g");
    dearer.rates[0].per_hour = rules::Money::from_dollars(0.06);
    const rules::Commitments all =
        commitments_of({reserved("m5.large", 3), zonal, reserved("m5.large", 4), windows},
                       {compute_plan("b"), dearer, compute_plan("a"), of_family}, "r", kNow);
    ASSERT_THAT(all, SizeIs(6));
    EXPECT_EQ(all[0].name, "reserved m5.large in a");
    EXPECT_EQ(all[0].kind, CommitmentKind::kZonalReserved);
    EXPECT_EQ(all[0].amount, 2000);
    EXPECT_EQ(all[1].name, "reserved m5.large");
    EXPECT_EQ(all[1].amount, 7 * 4000) << "sizes share it";
    EXPECT_EQ(all[2].name, "reserved m5.large with windows");
    EXPECT_EQ(all[2].amount, 1000);
    EXPECT_EQ(all[3].name, "Savings Plan f");
    EXPECT_EQ(all[3].family, "c7g");
    EXPECT_EQ(all[4].name, "Savings Plan a") << "with b's";
    EXPECT_EQ(all[4].amount, 4'000'000'000);
    EXPECT_EQ(all[5].name, "Savings Plan g");
    EXPECT_EQ(all[5].rates.at("c7g.large"), rules::Money::from_dollars(0.06));
}

InstanceInfo machine(const std::string& type) {
    InstanceInfo out;
    out.state = "running";
    out.type = type;
    out.zone = "a";
    out.tenancy = "default";
    return out;
}

TEST(WithoutElsewhere, machines_outside_of_the_cluster_take_their_part_first) {
    InstanceInfo of_joiner = machine("m5.large");
    of_joiner.tags = {{"kubernetes.io/cluster/test", "owned"}};
    InstanceInfo spot = machine("m5.large");
    spot.lifecycle = "spot";
    InstanceInfo dedicated = machine("m5.large");
    dedicated.tenancy = "dedicated";
    InstanceInfo stopped = machine("m5.large");
    stopped.state = "stopped";
    InstanceInfo of_another = machine("m5.xlarge");
    of_another.tags = {{"kubernetes.io/cluster/other", "owned"}};
    const std::vector<InstanceInfo> elsewhere = machines_elsewhere(
        {of_joiner, spot, dedicated, stopped, of_another, machine("m5.2xlarge"), machine("x9.large")},
        "test");
    ASSERT_THAT(elsewhere, SizeIs(3));

    RegionFacts facts;
    facts.on_demand = {{"m5.large", rules::Money::from_dollars(0.1)},
                       {"m5.xlarge", rules::Money::from_dollars(0.2)},
                       {"m5.2xlarge", rules::Money::from_dollars(0.4)}};
    const rules::Commitments left =
        without_elsewhere(commitments_of({reserved("m5.large", 10)}, {}, "r", kNow), elsewhere, facts);
    ASSERT_THAT(left, SizeIs(1));
    EXPECT_EQ(left[0].amount, (10 - 2 - 4) * 4000) << "an xlarge and a 2xlarge are gone";
}

class AccountCommitmentsTest : public ::testing::Test, public Reports {
  protected:
    AccountCommitmentsTest() {
        http_.responder = [this](const io::HttpRequest& request) { return answer_to(request); };
    }
    void offers_changed() override { ++changes_; }
    void remarked(const std::string& sentence) override { said_.push_back(sentence); }

    static io::HttpResponse ok(std::string body) { return {200, std::move(body), "", 0}; }
    std::string rate(const std::string& type, const std::string& usage, const std::string& region) const {
        return nlohmann::json{{"rate", "0.05"},
                              {"unit", "Hrs"},
                              {"usageType", usage + ":" + type},
                              {"properties",
                               {{{"name", "region"}, {"value", region}},
                                {{"name", "instanceType"}, {"value", type}},
                                {{"name", "productDescription"}, {"value", "Linux/UNIX"}},
                                {{"name", "tenancy"}, {"value", "shared"}}}}}
            .dump();
    }
    io::HttpResponse answer_to(const io::HttpRequest& request) {
        const bool is_of_plans = request.target.starts_with("/DescribeSavingsPlan");
        const std::string action =
            is_of_plans ? request.target.substr(1) : request.body.substr(7, request.body.find('&') - 7);
        ++calls_[action];
        if (failing_.contains(action)) return failing_.at(action);
        const nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
        const bool is_next = body.is_object() && body.contains("nextToken");
        if (is_of_plans) {
            url_ = request.endpoint->base_url;
            for (const auto& [name, value] : request.headers) {
                if (name == "authorization") signature_ = value;
            }
        }
        if (action == "DescribeReservedInstances")
            return ok(fmt::format(
                "<DescribeReservedInstancesResponse><reservedInstancesSet><item>"
                "<reservedInstancesId>r</reservedInstancesId><instanceType>m5.large</instanceType>"
                "<scope>Availability Zone</scope><availabilityZone>us-west-2a</availabilityZone>"
                "<instanceCount>{}</instanceCount><productDescription>Linux/UNIX</productDescription>"
                "<instanceTenancy>default</instanceTenancy><state>active</state>"
                "<end>{}</end></item></reservedInstancesSet></DescribeReservedInstancesResponse>",
                reserved_, format_rfc3339(loop_.now() + hours{3})));
        // One in a page; the second has come to its end.
        if (action == "DescribeSavingsPlans") {
            const std::string end = is_next ? "2001-01-01T00:00:00.000Z" : "2200-01-01T00:00:00.000Z";
            nlohmann::json out = {{"savingsPlans",
                                   {{{"savingsPlanId", is_next ? "sp-2" : "sp-1"},
                                     {"savingsPlanType", "Compute"},
                                     {"state", "active"},
                                     {"commitment", "1.25"},
                                     {"end", end}}}}};
            if (!is_next) out["nextToken"] = "more";
            return ok(out.dump());
        }
        if (action == "DescribeSavingsPlanRates") {
            if (is_next)
                return ok("{\"searchResults\":[" + rate("m5.xlarge", "USW2-BoxUsage", "us-west-2") + "]}");
            return ok("{\"searchResults\":[" + rate("m5.large", "USW2-BoxUsage", "us-west-2") + "," +
                      rate("m6i.large", "BoxUsage", "us-east-1") + "," +
                      rate("m7i.large", "USW2-UnusedBox", "us-west-2") + R"(],"nextToken":"more"})");
        }
        if (action == "DescribeInstances")
            return ok(
                "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>"
                "<instanceId>i-1</instanceId><instanceType>m5.large</"
                "instanceType><instanceState><name>running"
                "</name></instanceState><placement><availabilityZone>us-west-2a</availabilityZone>"
                "<tenancy>default</tenancy></placement></item></instancesSet></item></reservationSet>"
                "</DescribeInstancesResponse>");
        if (action == "DescribeInstanceTypeOfferings")
            return ok(
                "<DescribeInstanceTypeOfferingsResponse><instanceTypeOfferingSet><item><instanceType>m5.large"
                "</instanceType><location>us-west-2a</location></item></instanceTypeOfferingSet>"
                "</DescribeInstanceTypeOfferingsResponse>");
        if (action == "DescribeInstanceTypes" || action == "DescribeSpotPriceHistory")
            return ok("<" + action + "Response/>");
        return ok("{}");
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    aws::Client client_ = aws::test_client(loop_, http_, "us-west-2");
    Ec2 ec2_{client_};
    Pricing pricing_{client_};
    SavingsPlans savings_plans_{client_};
    Settings settings_{.cluster_name = "test"};
    RegionTypes types_{loop_, ec2_, pricing_, "us-west-2", settings_, [] {}};
    AccountCommitments account_{{loop_, ec2_, savings_plans_, types_, *this, "us-west-2", settings_}};
    std::map<std::string, io::HttpResponse> failing_;
    std::map<std::string, int> calls_;
    std::string url_;
    std::string signature_;
    int reserved_ = 3;
    int changes_ = 0;
    std::vector<std::string> said_;
};

TEST_F(AccountCommitmentsTest, are_read_to_the_last_page_and_anew_each_hour) {
    EXPECT_EQ(account_.known(), nullptr);
    account_.start();
    account_.start();
    loop_.advance(minutes{5});
    ASSERT_NE(account_.known(), nullptr);
    ASSERT_THAT(*account_.known(), SizeIs(2)) << "the plan that is over does not count";
    EXPECT_EQ(account_.known()->at(0).amount, 2000) << "one of three is in use elsewhere";
    const Commitment& plan = account_.known()->at(1);
    EXPECT_EQ(plan.name, "Savings Plan sp-1");
    EXPECT_EQ(plan.amount, 1'250'000'000);
    EXPECT_THAT(plan.rates, ElementsAre(std::pair{"m5.large", rules::Money::from_dollars(0.05)},
                                        std::pair{"m5.xlarge", rules::Money::from_dollars(0.05)}));
    EXPECT_EQ(url_, "https://savingsplans.amazonaws.com");
    EXPECT_THAT(signature_, HasSubstr("/us-east-1/savingsplans/aws4_request"));
    EXPECT_EQ(changes_, 1);
    ASSERT_THAT(said_, SizeIs(1));

    const auto before = account_.known();
    loop_.advance(hours{1});
    EXPECT_GE(calls_["DescribeReservedInstances"], 2);
    EXPECT_EQ(account_.known(), before) << "nothing has changed";
    EXPECT_EQ(changes_, 1);
    reserved_ = 5;
    loop_.advance(hours{1});
    EXPECT_EQ(account_.known()->at(0).amount, 4000);
    EXPECT_EQ(changes_, 2);
}

TEST_F(AccountCommitmentsTest, what_is_known_stands_where_nobody_answers_and_that_is_said_once) {
    account_.start();
    loop_.advance(minutes{5});
    const auto before = account_.known();
    ASSERT_NE(before, nullptr);
    said_.clear();
    failing_["DescribeSavingsPlans"] = {400, R"({"__type":"ThrottlingException","message":"slow"})", "", 0};
    loop_.advance(hours{4});
    EXPECT_EQ(account_.known(), before);
    ASSERT_THAT(said_, SizeIs(1));
    EXPECT_THAT(said_[0], AllOf(HasSubstr("what was known stands"), HasSubstr("DescribeSavingsPlans")));
    failing_.clear();
    loop_.advance(hours{2});
    ASSERT_THAT(said_, SizeIs(2));
    EXPECT_THAT(said_[1], HasSubstr("known again"));
}

TEST_F(AccountCommitmentsTest, who_may_not_ask_is_told_which_policy_is_missing) {
    failing_["DescribeReservedInstances"] = {
        403,
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>m</Message></Error></Errors>"
        "</Response>",
        "", 0};
    account_.start();
    loop_.advance(hours{10});
    EXPECT_EQ(account_.known(), nullptr);
    ASSERT_THAT(said_, SizeIs(1));
    EXPECT_THAT(said_[0], AllOf(HasSubstr("nothing counts as paid for"), HasSubstr("commitments-policy")));
    EXPECT_LT(calls_["DescribeReservedInstances"], 20) << "less and less often";
    failing_.clear();
    loop_.advance(hours{1} + minutes{1});
    EXPECT_NE(account_.known(), nullptr);
}

TEST_F(AccountCommitmentsTest, in_an_isolated_vpc_savings_plans_are_not_asked_for) {
    settings_.isolated_vpc = true;
    account_.start();
    loop_.advance(minutes{5});
    ASSERT_NE(account_.known(), nullptr);
    EXPECT_THAT(*account_.known(), SizeIs(1));
    EXPECT_EQ(calls_["DescribeSavingsPlans"], 0);
}

}  // namespace
}  // namespace joiner::cloud::ec2
