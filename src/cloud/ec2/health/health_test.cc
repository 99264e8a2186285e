// How the watches of EC2's own health reports go: of instances and of zones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/health/instance_status.h"
#include "cloud/ec2/health/zonal_shift.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr WallTime kNow{std::chrono::hours{400'000}};

TEST(SicknessOf, checks_count_once_they_have_failed_for_two_minutes_and_events_at_once) {
    InstanceHealth well;
    well.instance.status = well.system.status = "ok";
    EXPECT_FALSE(sickness_of(well, kNow)) << "who lists it does not make it sick";

    InstanceHealth impaired = well;
    impaired.instance = {"impaired", {"reachability"}, kNow - seconds{119}};
    EXPECT_FALSE(sickness_of(impaired, kNow));
    impaired.instance.impaired_since = kNow - seconds{120};
    ASSERT_TRUE(sickness_of(impaired, kNow));
    EXPECT_EQ(sickness_of(impaired, kNow)->category, "InstanceStatus");
    EXPECT_EQ(sickness_of(impaired, kNow)->event.deadline, kNow) << "its pods are not waited for";
    impaired.instance.failed.clear();
    EXPECT_FALSE(sickness_of(impaired, kNow)) << "no check has failed";

    InstanceHealth system = well;
    system.system = {"impaired", {"reachability"}, kNow - minutes{5}};
    EXPECT_EQ(sickness_of(system, kNow)->category, "SystemStatus");

    InstanceHealth planned = well;
    planned.events = {{"instance-retirement", "The instance runs on degraded hardware", kNow}};
    ASSERT_TRUE(sickness_of(planned, kNow));
    EXPECT_EQ(sickness_of(planned, kNow)->category, "EventStatus");
    EXPECT_FALSE(sickness_of(planned, kNow)->event.deadline) << "its pods are drained";
    EXPECT_THAT(sickness_of(planned, kNow)->event.message, HasSubstr("instance-retirement"));
    planned.events[0].description = "[Completed] The instance runs on degraded hardware";
    EXPECT_FALSE(sickness_of(planned, kNow));
    planned.events[0] = {"something-else", "", kNow};
    EXPECT_FALSE(sickness_of(planned, kNow));
}

TEST(ZonesShiftedAway, a_shift_counts_while_it_is_applied_and_lasts) {
    EXPECT_THAT(zones_shifted_away({{"use1-az1", true, kNow + seconds{1}},
                                    {"use1-az2", false, kNow + seconds{1}},
                                    {"use1-az3", true, kNow},
                                    {"use1-az4", true, std::nullopt}},
                                   kNow),
                ElementsAre("use1-az1", "use1-az4"));
}

class HealthTest : public ::testing::Test, public Reports {
  protected:
    HealthTest() {
        http_.responder = [this](const io::HttpRequest& request) {
            ++asked_;
            last_target_ = request.target;
            return request.target.starts_with("/clusters/") ? cluster_ : answer_;
        };
    }
    void happened(const InstanceEvent& event) override { events_.push_back(event); }
    void counted(std::string_view metric, const api::StringMap& labels, double by) override {
        counts_[fmt::format("{} {}", metric, labels.begin()->second)] += by;
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    aws::Client client_ = aws::test_client(loop_, http_);
    Ec2 ec2_{client_};
    io::HttpResponse answer_;
    io::HttpResponse cluster_{200, R"({"cluster":{"arn":"arn:aws:eks:us-east-1:1:cluster/c"}})", "", 0};
    int asked_ = 0;
    std::string last_target_;
    std::vector<InstanceEvent> events_;
    std::map<std::string, double> counts_;
};

constexpr const char* kSick =
    "<DescribeInstanceStatusResponse><instanceStatusSet>"
    "<item><instanceId>i-1</instanceId><availabilityZone>a</availabilityZone><eventsSet><item>"
    "<code>instance-stop</code><description>d</description></item></eventsSet></item>"
    "<item><instanceId>i-2</instanceId><availabilityZone>a</availabilityZone></item>"
    "</instanceStatusSet></DescribeInstanceStatusResponse>";

TEST_F(HealthTest, sick_instances_are_reported_each_minute_and_counted_once) {
    answer_ = {200, kSick, "", 0};
    InstanceStatusWatch watch(loop_, ec2_, *this);
    watch.start();
    watch.start();
    loop_.advance(seconds{1});
    EXPECT_EQ(asked_, 3) << "for failing instances, failing hosts and events";
    ASSERT_THAT(events_, SizeIs(1)) << "however many answers it is in, and not the one that is well";
    EXPECT_EQ(events_[0].provider_id, "aws:///a/i-1");
    loop_.advance(minutes{1});
    EXPECT_EQ(asked_, 6);
    EXPECT_THAT(events_, SizeIs(2));
    EXPECT_EQ(counts_["interruption_instance_status_unhealthy_total EventStatus"], 1);
}

TEST_F(HealthTest, who_may_not_ask_asks_no_more_and_who_gets_no_answer_asks_again) {
    answer_ = {500, "", "", 0};
    InstanceStatusWatch watch(loop_, ec2_, *this);
    watch.start();
    loop_.advance(minutes{5});
    EXPECT_GT(asked_, 12);
    answer_ = {403, "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
               "", 0};
    loop_.advance(minutes{2});
    const int asked = asked_;
    loop_.advance(minutes{30});
    EXPECT_EQ(asked_, asked);
    EXPECT_THAT(events_, IsEmpty());
}

TEST_F(HealthTest, a_zonal_shift_is_seen_within_half_a_minute_and_its_end_too) {
    Eks eks(client_);
    ArcZonalShift arc(client_);
    int changes = 0;
    ZonalShift shift(loop_, eks, arc, "c", [&] { ++changes; });
    answer_ = {200, "{}", "", 0};
    shift.start();
    loop_.advance(seconds{1});
    EXPECT_EQ(last_target_, "/managedresources/arn%3Aaws%3Aeks%3Aus-east-1%3A1%3Acluster%2Fc");
    EXPECT_THAT(shift.away_from(), IsEmpty());
    EXPECT_EQ(changes, 0);
    answer_.body = fmt::format(
        R"({{"zonalShifts":[{{"awayFrom":"use1-az1","appliedStatus":"APPLIED","expiryTime":{}}}],
            "autoshifts":[{{"awayFrom":"use1-az2","appliedStatus":"APPLIED"}}]}})",
        std::chrono::duration_cast<seconds>(loop_.now().time_since_epoch()).count() + 60);
    loop_.advance(seconds{30});
    EXPECT_THAT(shift.away_from(), ElementsAre("use1-az1", "use1-az2"));
    loop_.advance(seconds{60});
    EXPECT_THAT(shift.away_from(), ElementsAre("use1-az2")) << "it has expired";
    answer_ = {403, "{}", "", 0};
    loop_.advance(seconds{30});
    EXPECT_THAT(shift.away_from(), ElementsAre("use1-az2")) << "nothing new is known";
    EXPECT_TRUE(shift.problem());
    answer_ = {200, "{}", "", 0};
    loop_.advance(seconds{30});
    EXPECT_THAT(shift.away_from(), IsEmpty());
    EXPECT_EQ(changes, 3);
    EXPECT_FALSE(shift.problem());
}

TEST_F(HealthTest, a_cluster_that_is_not_found_is_asked_for_again) {
    Eks eks(client_);
    ArcZonalShift arc(client_);
    ZonalShift shift(loop_, eks, arc, "c", [] {});
    cluster_ = {404, "{}", "", 0};
    answer_ = {200, "{}", "", 0};
    shift.start();
    loop_.advance(seconds{1});
    ASSERT_TRUE(shift.problem());
    EXPECT_THAT(shift.problem()->message, HasSubstr("eks DescribeCluster"));
    cluster_ = {200, R"({"cluster":{"arn":"arn:c"}})", "", 0};
    loop_.advance(seconds{60});
    EXPECT_FALSE(shift.problem());
}

}  // namespace
}  // namespace joiner::cloud::ec2
