#include "cloud/ec2/interruption/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::cloud::ec2 {
namespace {

using Kind = InstanceEvent::Kind;

TEST(Notices, what_eventbridge_sends_is_understood) {
    const struct {
        const char* body;
        Kind kind;
        const char* reason;
        const char* message_type;
    } kCases[] = {
        {R"({"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning",
             "time": "2027-01-15T08:00:00Z", "detail": {"instance-id": "i-1", "instance-action": "terminate"}})",
         Kind::kInterruption, "SpotInterrupted", "spot_interrupted"},
        {R"({"source": "aws.ec2", "detail-type": "EC2 Instance Rebalance Recommendation",
             "detail": {"instance-id": "i-1"}})",
         Kind::kRebalance, "SpotRebalanceRecommendation", "rebalance_recommendation"},
        {R"({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
             "detail": {"instance-id": "i-1", "state": "stopping"}})",
         Kind::kGone, "InstanceStopping", "instance_stopped"},
        {R"({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
             "detail": {"instance-id": "i-1", "state": "shutting-down"}})",
         Kind::kGone, "InstanceTerminating", "instance_terminated"},
        {R"({"source": "aws.health", "detail-type": "AWS Health Event",
             "detail": {"service": "EC2", "eventTypeCategory": "scheduledChange",
                        "affectedEntities": [{"entityValue": "i-1"}]}})",
         Kind::kMaintenance, "InstanceUnhealthy", "scheduled_change"},
        {R"({"source": "aws.ec2", "detail-type": "EC2 Capacity Reservation Instance Interruption Warning",
             "detail": {"instance-id": "i-1"}})",
         Kind::kInterruption, "CapacityReservationInstanceInterrupted", "capacity_reservation_interrupted"},
    };
    for (const auto& each : kCases) {
        const auto notice = read_notice(each.body);
        ASSERT_TRUE(notice) << each.body;
        EXPECT_EQ(notice->event.kind, each.kind);
        EXPECT_EQ(notice->event.reason, each.reason);
        EXPECT_EQ(notice->message_type, each.message_type);
        EXPECT_THAT(notice->instance_ids, ::testing::ElementsAre("i-1"));
    }
    EXPECT_EQ(read_notice(kCases[0].body)->sent, *parse_rfc3339("2027-01-15T08:00:00Z"));
    EXPECT_EQ(read_notice(kCases[1].body)->sent, kNoTime);
    EXPECT_EQ(read_notice(kCases[0].body)->event.deadline, *parse_rfc3339("2027-01-15T08:02:00Z"));
}

TEST(Notices, what_is_nothing_of_ours_is_none) {
    for (const char* body :
         {"", "hello", "[]", "{}", "{\"source\": 1}", R"({"source": "aws.ec2", "detail-type": "EC2 Other"})",
          R"({"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
              "detail": {"instance-id": "i-1", "state": "running"}})",
          R"({"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning", "detail": {}})",
          R"({"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning",
              "detail": {"instance-id": 7}})",
          R"({"source": "aws.health", "detail-type": "AWS Health Event",
              "detail": {"service": "S3", "eventTypeCategory": "scheduledChange",
                         "affectedEntities": [{"entityValue": "i-1"}]}})"})
        EXPECT_FALSE(read_notice(body)) << body;
}

}  // namespace
}  // namespace joiner::cloud::ec2
