#include "cloud/ec2/interruption/interruption_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/call_metrics.h"
#include "cloud/ec2/testing/test_client.h"
#include "io/testing/manual_loop.h"
#include "io/testing/scripted_http.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::seconds;
using ::testing::SizeIs;

class InterruptionQueueTest : public ::testing::Test, public Reports {
  protected:
    InterruptionQueueTest() {
        http_.responder = [this](const io::HttpRequest& request) { return answer_to(request); };
        client_.tell(metrics_);
    }
    io::HttpResponse answer_to(const io::HttpRequest& request) {
        if (request.body.find("DescribeInstances") != std::string::npos)
            return {200,
                    "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1"
                    "</instanceId><placement><availabilityZone>a</availabilityZone></placement>"
                    "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>",
                    "", 0};
        for (const auto& [name, value] : request.headers) {
            if (name != "x-amz-target") continue;
            if (value == "AmazonSQS.GetQueueUrl") return {200, R"({"QueueUrl":"http://queue/q"})", "", 0};
            if (value == "AmazonSQS.ReceiveMessage") {
                nlohmann::json messages = nlohmann::json::array();
                for (const std::string& body : std::exchange(bodies_, {}))
                    messages.push_back({{"ReceiptHandle", "r"}, {"Body", body}});
                return {200, nlohmann::json{{"Messages", messages}}.dump(), "", 0};
            }
        }
        return {200, "{}", "", 0};
    }
    void happened(const InstanceEvent& event) override { events_.push_back(event); }
    void counted(std::string_view metric, const api::StringMap& labels, double by) override {
        counts_[words(metric, labels)] += by;
    }
    void observed(std::string_view metric, const api::StringMap& labels, double value) override {
        values_[words(metric, labels)] = value;
    }
    static std::string words(std::string_view metric, const api::StringMap& labels) {
        std::string out(metric);
        for (const auto& [key, value] : labels) out += " " + value;
        return out;
    }

    io::testing::ManualLoop loop_;
    io::testing::ScriptedHttp http_{loop_};
    CallMetrics metrics_{*this};
    aws::Client client_ = aws::test_client(loop_, http_);
    Ec2 ec2_{client_};
    Sqs sqs_{client_};
    Reports nobody_;
    Instances instances_{loop_, ec2_, nobody_, "test"};
    InterruptionQueue queue_{loop_, sqs_, instances_, *this, "q"};
    std::vector<std::string> bodies_;
    std::vector<InstanceEvent> events_;
    std::map<std::string, double> counts_;
    std::map<std::string, double> values_;
};

TEST_F(InterruptionQueueTest, messages_and_calls_are_counted_under_karpenters_names) {
    bodies_ = {fmt::format(R"({{"source": "aws.ec2", "detail-type": "EC2 Spot Instance Interruption Warning",
                   "time": "{}", "detail": {{"instance-id": "i-1"}}}})",
                           format_rfc3339(loop_.now() - seconds{7})),
               "hello"};
    queue_.start();
    loop_.advance(seconds{3});
    ASSERT_THAT(events_, SizeIs(1));
    EXPECT_EQ(events_[0].provider_id, "aws:///a/i-1");
    EXPECT_EQ(counts_["interruption_received_messages_total spot_interrupted"], 1);
    EXPECT_EQ(counts_["interruption_received_messages_total no_op"], 1);
    EXPECT_EQ(counts_["interruption_deleted_messages_total"], 2);
    EXPECT_NEAR(values_["interruption_message_queue_duration_seconds"], 7, 1);
    EXPECT_EQ(counts_["aws_sdk_go_request_total GetQueueUrl 200 SQS"], 1);
    EXPECT_EQ(counts_["aws_sdk_go_request_attempt_total DescribeInstances 200 EC2"], 1);
    EXPECT_EQ(values_["aws_sdk_go_request_retry_count GetQueueUrl 200 SQS"], 0);
}

}  // namespace
}  // namespace joiner::cloud::ec2
