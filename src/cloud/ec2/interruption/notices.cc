#include "cloud/ec2/interruption/notices.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/cut.h"
#include "cloud/ec2/calls/json_reader.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

// From a warning to the end of a spot instance.
constexpr Duration kSpotWarning = std::chrono::minutes{2};
constexpr std::size_t kMostInstances = 1000;  // Of one message.

Notice notice_of(const char* message_type, InstanceEvent::Kind kind, std::string reason, std::string message,
                 std::string instance) {
    Notice out;
    out.message_type = message_type;
    out.event.kind = kind;
    out.event.reason = std::move(reason);
    out.event.message = std::move(message);
    out.instance_ids = {std::move(instance)};
    return out;
}

std::optional<Notice> state_change(const json& detail) {
    const std::string state = text_at(detail, "state");
    const std::string id = text_at(detail, "instance-id");
    if (state == "stopping" || state == "stopped")
        return notice_of("instance_stopped", InstanceEvent::Kind::kGone, "InstanceStopping",
                         "the instance is being stopped", id);
    if (state == "shutting-down" || state == "terminated")
        return notice_of("instance_terminated", InstanceEvent::Kind::kGone, "InstanceTerminating",
                         "the instance is being terminated", id);
    return std::nullopt;
}

std::optional<Notice> health(const json& detail) {
    if (text_at(detail, "service") != "EC2" || text_at(detail, "eventTypeCategory") != "scheduledChange")
        return std::nullopt;
    Notice out = notice_of(
        "scheduled_change", InstanceEvent::Kind::kMaintenance, "InstanceUnhealthy",
        fmt::format("AWS has scheduled a change: {}", cut_with_dots(text_at(detail, "eventTypeCode"), 200)),
        "");
    out.instance_ids.clear();
    for (const json& entity : at(detail, "affectedEntities")) {
        if (out.instance_ids.size() < kMostInstances)
            out.instance_ids.push_back(text_at(entity, "entityValue"));
    }
    return out;
}

}  // namespace

std::optional<Notice> read_notice(std::string_view body) {
    const json message = json::parse(body, nullptr, false);
    const std::string source = text_at(message, "source");
    const std::string kind = text_at(message, "detail-type");
    const json& detail = at(message, "detail");
    const std::string id = text_at(detail, "instance-id");
    const auto sent = parse_rfc3339(text_at(message, "time"));
    std::optional<Notice> out;
    if (source == "aws.health" && kind == "AWS Health Event") out = health(detail);
    if (source == "aws.ec2" && kind == "EC2 Spot Instance Interruption Warning") {
        out = notice_of("spot_interrupted", InstanceEvent::Kind::kInterruption, "SpotInterrupted",
                        "EC2 takes the spot instance back", id);
        if (sent) out->event.deadline = *sent + kSpotWarning;
    }
    if (source == "aws.ec2" && kind == "EC2 Capacity Reservation Instance Interruption Warning") {
        out = notice_of("capacity_reservation_interrupted", InstanceEvent::Kind::kInterruption,
                        "CapacityReservationInstanceInterrupted", "EC2 takes the reserved instance back", id);
        if (const auto at_time = parse_rfc3339(text_at(detail, "instance-termination-time")); at_time)
            out->event.deadline = *at_time;
    }
    if (source == "aws.ec2" && kind == "EC2 Instance Rebalance Recommendation")
        out = notice_of("rebalance_recommendation", InstanceEvent::Kind::kRebalance,
                        "SpotRebalanceRecommendation", "EC2 may take the spot instance back before long", id);
    if (source == "aws.ec2" && kind == "EC2 Instance State-change Notification") out = state_change(detail);
    if (!out) return std::nullopt;
    out->sent = sent.value_or(kNoTime);
    std::erase_if(out->instance_ids, [](const std::string& each) { return !each.starts_with("i-"); });
    return out->instance_ids.empty() ? std::nullopt : out;
}

}  // namespace joiner::cloud::ec2
