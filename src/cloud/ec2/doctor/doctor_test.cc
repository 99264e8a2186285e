#include "cloud/ec2/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/testing/ec2_bench.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// An account in which all is as it should be, but for what a test takes away.
class DoctorTest : public ::testing::Test {
  protected:
    DoctorTest() {
        http_.responder = [this](const io::HttpRequest& request) { return answer_to(request); };
    }
    static io::HttpResponse ec2_error(int code, const std::string& name) {
        return {code,
                "<Response><Errors><Error><Code>" + name +
                    "</Code><Message>m</Message></Error></Errors></Response>",
                "", 0};
    }
    static io::HttpResponse set(const std::string& action, const std::string& name, const std::string& item) {
        return {200, fmt::format("<{0}Response><{1}>{2}</{1}></{0}Response>", action, name, item), "", 0};
    }
    static std::string action_of(const io::HttpRequest& request) {
        for (const auto& [name, value] : request.headers) {
            if (name == "x-amz-target") return value.substr(value.find('.') + 1);
        }
        if (request.target.starts_with("/DescribeSavingsPlan")) return request.target.substr(1);
        if (!request.body.starts_with("Action="))
            return request.target.starts_with("/clusters/") ? "DescribeCluster" : "GetManagedResource";
        return request.body.substr(7, request.body.find('&') - 7);
    }
    io::HttpResponse answer_to(const io::HttpRequest& request) {
        const std::string action = action_of(request);
        const bool is_dry = request.body.find("&DryRun=true") != std::string::npos;
        ++calls_[action + (is_dry ? " dry" : "")];
        if (refused_.contains(action)) {
            const bool is_json = request.body.starts_with("{");
            if (is_json) return {400, R"({"__type":"AccessDeniedException","message":"no"})", "", 0};
            if (action.find("InstanceProfile") != std::string::npos)
                return {403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>", "",
                        0};
            return ec2_error(403, "UnauthorizedOperation");
        }
        if (is_dry && heeds_dry_runs_) return ec2_error(412, "DryRunOperation");
        if (action == "GetCallerIdentity")
            return {200,
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:me</Arn>"
                    "</GetCallerIdentityResult></GetCallerIdentityResponse>",
                    "", 0};
        if (action == "DescribeSubnets")
            return set(action, "subnetSet",
                       "<item><subnetId>subnet-a</subnetId><availabilityZone>a</availabilityZone>"
                       "<availableIpAddressCount>7</availableIpAddressCount></item>");
        if (action == "DescribeSecurityGroups")
            return set(action, "securityGroupInfo", "<item><groupId>sg-1</groupId></item>");
        if (action == "DescribeImages")
            return set(action, "imagesSet", has_images_ ? "<item><imageId>ami-1</imageId></item>" : "");
        if (action == "DescribeInstances")
            return set(action, "reservationSet",
                       has_instance_
                           ? "<item><instancesSet><item><instanceId>i-1</instanceId><instanceState><name>"
                             "running</name></instanceState></item></instancesSet></item>"
                           : "");
        if (action == "DescribeLaunchTemplates")
            return set(action, "launchTemplates", "<item><launchTemplateId>lt-1</launchTemplateId></item>");
        if (action == "DescribeCluster")
            return {200, R"({"cluster":{"arn":"arn:c","endpoint":"https://c","version":"1.34"}})", "", 0};
        if (action == "GetInstanceProfile")
            return {404, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", "", 0};
        if (action == "ListInstanceProfiles")
            return {
                200,
                "<ListInstanceProfilesResponse><ListInstanceProfilesResult/></ListInstanceProfilesResponse>",
                "", 0};
        if (action == "GetQueueUrl") return {200, nlohmann::json{{"QueueUrl", queue_url_}}.dump(), "", 0};
        if (action == "GetQueueAttributes")
            return {200, R"({"Attributes":{"QueueArn":"arn:aws:sqs:us-east-1:123456789012:test"}})", "", 0};
        if (action == "DescribeReservedInstances")
            return set(action, "reservedInstancesSet", "<item/><item/>");
        if (action == "DescribeSavingsPlans")
            return {200, R"({"savingsPlans":[{"savingsPlanId":"sp-1","state":"active"}]})", "", 0};
        if (action == "ListRuleNamesByTarget") {
            asked_of_ = nlohmann::json::parse(request.body)["TargetArn"];
            nlohmann::json names = nlohmann::json::array();
            for (const auto& [name, rule] : rules_) names.push_back(name);
            return {200, nlohmann::json{{"RuleNames", names}}.dump(), "", 0};
        }
        if (action == "DescribeRule") {
            const std::string name = nlohmann::json::parse(request.body)["Name"];
            return {200,
                    nlohmann::json{{"EventPattern", rules_.at(name).pattern},
                                   {"State", rules_.at(name).is_enabled ? "ENABLED" : "DISABLED"}}
                        .dump(),
                    "", 0};
        }
        return {200, "{}", "", 0};
    }
    std::vector<Check> examine() {
        Reports reports;
        Doctor doctor(
            {loop_, http_, reports, Rng(1), *aws::Endpoints::read({}, "us-east-1"),
             [this](const aws::CredentialsDone& done) { loop_.post([this, done] { done(credentials_); }); }},
            settings_, classes_);
        std::vector<Check> out;
        doctor.examine([&](std::vector<Check> found) { out = std::move(found); });
        loop_.advance(std::chrono::minutes{5});
        return out;
    }
    static const Check* find(const std::vector<Check>& checks, const std::string& name) {
        for (const Check& check : checks) {
            if (check.name == name) return &check;
        }
        return nullptr;
    }
    static int count(const std::vector<Check>& checks, Check::Result result) {
        return static_cast<int>(std::count_if(checks.begin(), checks.end(),
                                              [&](const Check& each) { return each.result == result; }));
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    Result<aws::Credentials> credentials_ = aws::Credentials{"A", "s", "", std::nullopt};
    Settings settings_{.cluster_name = "test", .interruption_queue = "test", .enable_zonal_shift = true};
    std::vector<api::NodeClass> classes_ = {testing::ready_class()};
    std::set<std::string> refused_;
    bool heeds_dry_runs_ = true;
    bool has_images_ = true;
    bool has_instance_ = true;
    std::map<std::string, int> calls_;
    std::string queue_url_ = "http://q/123456789012/test";
    std::string asked_of_;
    std::map<std::string, EventRule> rules_ = {
        {"a",
         {R"({"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]})", true}},
        {"b",
         {R"({"source": ["aws.ec2"], "detail-type": ["EC2 Instance Rebalance Recommendation",
             "EC2 Instance State-change Notification"]})",
          true}},
        {"c", {R"({"source": ["aws.health"]})", true}},
        {"d", {R"({"source": ["aws.ec2"], "detail-type": [{"prefix": "EC2 Capacity Reservation"}]})", true}}};
};

TEST_F(DoctorTest, where_all_is_well_nothing_fails_and_nothing_is_changed) {
    const std::vector<Check> checks = examine();
    for (const Check& each : checks)
        EXPECT_NE(each.result, Check::Result::kFailed) << each.name << ": " << each.message;
    for (const char* name :
         {"region", "credentials", "EC2", "permission ec2:TerminateInstances", "permission ec2:CreateFleet",
          "cluster test", "permission pricing:GetProducts", "permission iam:GetInstanceProfile",
          "EC2NodeClass default: subnets", "EC2NodeClass default: security groups",
          "EC2NodeClass default: images", "interruption queue", "rule SpotInterruption",
          "rule RebalanceRecommendation", "rule StateChange", "rule ScheduledChange",
          "rule CapacityReservationInterruption", "zonal shift"}) {
        ASSERT_NE(find(checks, name), nullptr) << name;
        EXPECT_EQ(find(checks, name)->result, Check::Result::kOk) << name;
    }
    EXPECT_THAT(find(checks, "EC2NodeClass default: subnets")->message, HasSubstr("7 addresses free"));
    for (const auto& [call, times] : calls_) {
        const bool reads = call.starts_with("Describe") || call.starts_with("Get") ||
                           call.starts_with("List") || call == "ReceiveMessage";
        EXPECT_TRUE(reads || call.ends_with(" dry")) << call;
    }
}

TEST_F(DoctorTest, each_refusal_is_a_failed_check_with_a_cure) {
    const std::pair<const char*, const char*> kCases[] = {
        {"DescribeInstanceStatus", "permission ec2:DescribeInstanceStatus"},
        {"CreateFleet", "permission ec2:CreateFleet"},
        {"RunInstances", "permission ec2:RunInstances"},
        {"CreateLaunchTemplate", "permission ec2:CreateLaunchTemplate"},
        {"DeleteLaunchTemplate", "permission ec2:DeleteLaunchTemplate"},
        {"CreateTags", "permission ec2:CreateTags"},
        {"TerminateInstances", "permission ec2:TerminateInstances"},
        {"GetProducts", "permission pricing:GetProducts"},
        {"GetInstanceProfile", "permission iam:GetInstanceProfile"},
        {"ListInstanceProfiles", "permission iam:ListInstanceProfiles"},
        {"GetQueueUrl", "interruption queue"},
        {"ReceiveMessage", "interruption queue"},
    };
    for (const auto& [call, name] : kCases) {
        SCOPED_TRACE(call);
        refused_ = {call};
        const std::vector<Check> checks = examine();
        const Check* check = find(checks, name);
        ASSERT_NE(check, nullptr);
        EXPECT_EQ(check->result, Check::Result::kFailed);
        EXPECT_THAT(check->message, HasSubstr(call));
        EXPECT_THAT(check->cure, HasSubstr("controller-policy.json"));
        EXPECT_EQ(count(checks, Check::Result::kFailed), 1);
    }
}

TEST_F(DoctorTest, a_rule_that_does_not_deliver_to_the_queue_is_named_with_its_cure) {
    struct Case {
        const char* rule;
        EventRule becomes;
        std::vector<const char*> missing;
    };
    const Case kCases[] = {
        {"a", {rules_["a"].pattern, false}, {"SpotInterruption"}},
        {"b", {R"({"source": ["aws.ecs"]})", true}, {"RebalanceRecommendation", "StateChange"}},
        {"c", {"", true}, {"ScheduledChange"}},
        {"d",
         {R"({"source": "aws.ec2", "detail-type": [{"suffix": "Warning"}, 5]})", true},
         {"CapacityReservationInterruption"}}};
    const std::map<std::string, EventRule> all = rules_;
    for (const Case& each : kCases) {
        SCOPED_TRACE(each.rule);
        rules_ = all;
        rules_[each.rule] = each.becomes;
        const std::vector<Check> checks = examine();
        EXPECT_EQ(asked_of_, "arn:aws:sqs:us-east-1:123456789012:test");
        EXPECT_EQ(count(checks, Check::Result::kFailed), static_cast<int>(each.missing.size()));
        for (const char* name : each.missing) {
            const Check* check = find(checks, std::string("rule ") + name);
            ASSERT_NE(check, nullptr);
            EXPECT_EQ(check->result, Check::Result::kFailed);
            EXPECT_THAT(check->cure, HasSubstr(name));
        }
    }
}

TEST_F(DoctorTest, rules_that_may_not_be_seen_are_a_note_and_no_failure) {
    for (const char* call : {"ListRuleNamesByTarget", "DescribeRule"}) {
        refused_ = {call};
        const std::vector<Check> checks = examine();
        const Check* check = find(checks, "rules of the queue");
        ASSERT_NE(check, nullptr);
        EXPECT_EQ(check->result, Check::Result::kNotChecked);
        EXPECT_THAT(check->message, HasSubstr("events:ListRuleNamesByTarget"));
        EXPECT_EQ(count(checks, Check::Result::kFailed), 0);
    }
}

TEST_F(DoctorTest, a_queue_whose_address_names_no_account_is_asked_for_its_name) {
    queue_url_ = "https://queue.example/test";
    const std::vector<Check> checks = examine();
    EXPECT_EQ(asked_of_, "arn:aws:sqs:us-east-1:123456789012:test");
    ASSERT_NE(find(checks, "rule SpotInterruption"), nullptr);
    EXPECT_EQ(find(checks, "rules of the queue"), nullptr);

    refused_ = {"GetQueueAttributes"};
    const std::vector<Check> without = examine();
    const Check* check = find(without, "rules of the queue");
    ASSERT_NE(check, nullptr);
    EXPECT_EQ(check->result, Check::Result::kNotChecked);
    EXPECT_THAT(check->message, HasSubstr("https://queue.example/test"));
    EXPECT_THAT(check->message, HasSubstr("sqs:GetQueueAttributes"));
    EXPECT_EQ(find(without, "rule SpotInterruption"), nullptr);
    EXPECT_EQ(count(without, Check::Result::kFailed), 0);
}

TEST_F(DoctorTest, what_the_account_has_paid_for_is_looked_at_where_it_counts) {
    EXPECT_EQ(find(examine(), "commitments"), nullptr);
    EXPECT_EQ(calls_["DescribeSavingsPlans"], 0);
    settings_.account_commitments = true;
    const std::vector<Check> checks = examine();
    ASSERT_NE(find(checks, "commitments"), nullptr);
    for (const char* name :
         {"permission ec2:DescribeReservedInstances", "permission savingsplans:DescribeSavingsPlans",
          "permission savingsplans:DescribeSavingsPlanRates", "commitments"}) {
        ASSERT_NE(find(checks, name), nullptr) << name;
        EXPECT_EQ(find(checks, name)->result, Check::Result::kOk) << name;
    }
    EXPECT_THAT(find(checks, "commitments")->message, HasSubstr("2 purchases"));
    for (const char* call :
         {"DescribeReservedInstances", "DescribeSavingsPlans", "DescribeSavingsPlanRates"}) {
        refused_ = {call};
        const std::vector<Check> refused = examine();
        EXPECT_EQ(count(refused, Check::Result::kFailed), 1) << call;
        for (const Check& each : refused) {
            if (each.result == Check::Result::kFailed) {
                EXPECT_THAT(each.cure, HasSubstr("commitments-policy"));
            }
        }
    }
}

TEST_F(DoctorTest, without_credentials_nothing_else_is_asked) {
    credentials_ = fail(ErrorKind::kForbidden, "the role may not be assumed");
    const std::vector<Check> checks = examine();
    ASSERT_THAT(checks, SizeIs(2));
    EXPECT_EQ(checks[1].name, "credentials");
    EXPECT_EQ(checks[1].result, Check::Result::kFailed);
    EXPECT_THAT(checks[1].message, HasSubstr("the role may not be assumed"));
    EXPECT_TRUE(calls_.empty());
}

// Some servers that stand in EC2's place do what a dry run asks.
TEST_F(DoctorTest, where_dry_runs_are_not_heeded_nothing_that_changes_is_tried) {
    heeds_dry_runs_ = false;
    const std::vector<Check> checks = examine();
    EXPECT_EQ(find(checks, "permission ec2:TerminateInstances")->result, Check::Result::kNotChecked);
    for (const char* call :
         {"TerminateInstances dry", "CreateFleet dry", "RunInstances dry", "CreateTags dry",
          "RebootInstances dry", "DeleteLaunchTemplate dry", "CreateLaunchTemplate dry"})
        EXPECT_EQ(calls_[call], 0) << call;
}

TEST_F(DoctorTest, what_can_be_tried_on_nothing_is_said_to_be_so) {
    has_instance_ = false;
    const std::vector<Check> checks = examine();
    EXPECT_EQ(find(checks, "permission ec2:TerminateInstances")->result, Check::Result::kNotChecked);
    EXPECT_EQ(find(checks, "permission ec2:CreateFleet")->result, Check::Result::kOk);
    EXPECT_EQ(find(checks, "permission iam:CreateInstanceProfile")->result, Check::Result::kNotChecked);
}

TEST_F(DoctorTest, a_class_that_finds_nothing_says_what_to_mend) {
    has_images_ = false;
    const std::vector<Check> checks = examine();
    const Check* check = find(checks, "EC2NodeClass default: images");
    EXPECT_EQ(check->result, Check::Result::kFailed);
    EXPECT_THAT(check->message, HasSubstr("amiSelectorTerms"));
    EXPECT_NE(check->cure, "");
}

TEST_F(DoctorTest, what_the_settings_leave_out_is_not_asked) {
    settings_ = {.cluster_name = "test", .isolated_vpc = true};
    const std::vector<Check> checks = examine();
    EXPECT_EQ(calls_["GetProducts"] + calls_["GetInstanceProfile"] + calls_["GetQueueUrl"], 0);
    EXPECT_EQ(find(checks, "interruption queue")->result, Check::Result::kNotChecked);
    EXPECT_EQ(find(checks, "zonal shift"), nullptr);
}

}  // namespace
}  // namespace joiner::cloud::ec2
