#include "cloud/ec2/call_metrics.h"

#include <algorithm>

namespace joiner::cloud::ec2 {
namespace {

std::string id_of(aws::Service service) {
    switch (service) {
        case aws::Service::kEc2:
            return "EC2";
        case aws::Service::kIam:
            return "IAM";
        case aws::Service::kSts:
            return "STS";
        case aws::Service::kSqs:
            return "SQS";
        case aws::Service::kSsm:
            return "SSM";
        case aws::Service::kEks:
            return "EKS";
        case aws::Service::kPricing:
            return "Pricing";
        case aws::Service::kZonalShift:
            return "ARC Zonal Shift";
        case aws::Service::kEventBridge:
            return "EventBridge";
        case aws::Service::kSavingsPlans:
            return "savingsplans";
    }
    return "";
}

api::StringMap labels_of(aws::Service service, const std::string& call, int code) {
    return {{"service", id_of(service)}, {"action", call}, {"code", std::to_string(code)}};
}

}  // namespace

void CallMetrics::request_ended(aws::Service service, const std::string& call, int code, Duration took) {
    const api::StringMap labels = labels_of(service, call, code);
    reports_.counted("aws_sdk_go_request_attempt_total", labels, 1);
    reports_.observed("aws_sdk_go_request_attempt_duration_seconds", labels, to_seconds(took));
}

void CallMetrics::call_ended(aws::Service service, const std::string& call, int code, Duration took,
                             int requests) {
    const api::StringMap labels = labels_of(service, call, code);
    reports_.counted("aws_sdk_go_request_total", labels, 1);
    reports_.observed("aws_sdk_go_request_duration_seconds", labels, to_seconds(took));
    reports_.observed("aws_sdk_go_request_retry_count", labels, std::max(0, requests - 1));
}

}  // namespace joiner::cloud::ec2
