#include "cloud/ec2/health/instance_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/cut.h"
#include "cloud/ec2/launch/launcher.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kBetweenLooks = std::chrono::minutes{1};
// A check that fails may be well again before long.
constexpr Duration kTolerated = std::chrono::seconds{120};
constexpr std::array<std::string_view, 5> kEvents = {"instance-reboot", "system-reboot", "system-maintenance",
                                                     "instance-retirement", "instance-stop"};

bool has_failed(const StatusCheck& check, WallTime now) {
    return !check.failed.empty() && check.impaired_since && now - *check.impaired_since >= kTolerated;
}

// EC2 lists events for days after they are over.
bool is_to_come(const InstanceHealth::Event& event) {
    return std::find(kEvents.begin(), kEvents.end(), event.code) != kEvents.end() &&
           !event.description.starts_with("[Completed]") && !event.description.starts_with("[Canceled]");
}

// It cannot be saved, and its pods are not waited for.
Sickness failing(std::string category, const char* which, const StatusCheck& check, WallTime now) {
    Sickness out;
    out.category = std::move(category);
    out.event.kind = InstanceEvent::Kind::kMaintenance;
    out.event.deadline = now;
    out.event.reason = "InstanceUnhealthy";
    out.event.message = fmt::format("EC2's {} checks fail: {}", which,
                                    cut_with_dots(fmt::format("{}", fmt::join(check.failed, ", ")), 200));
    return out;
}

}  // namespace

std::optional<Sickness> sickness_of(const InstanceHealth& health, WallTime now) {
    if (has_failed(health.instance, now)) return failing("InstanceStatus", "instance", health.instance, now);
    if (has_failed(health.system, now)) return failing("SystemStatus", "system", health.system, now);
    const auto event = std::find_if(health.events.begin(), health.events.end(), is_to_come);
    if (event == health.events.end()) return std::nullopt;
    Sickness out;
    out.category = "EventStatus";
    out.event.kind = InstanceEvent::Kind::kMaintenance;
    out.event.reason = "InstanceUnhealthy";
    out.event.message = fmt::format("EC2 has scheduled {} for the instance{}", event->code,
                                    event->not_before ? ", from " + format_rfc3339(*event->not_before) : "");
    return out;
}

void InstanceStatusWatch::start() {
    if (!std::exchange(is_started_, true)) look();
}

void InstanceStatusWatch::look() {
    const std::vector<Filters> questions = {{{"instance-status.status", {"impaired"}}},
                                            {{"system-status.status", {"impaired"}}},
                                            {{"event.code", {kEvents.begin(), kEvents.end()}}}};
    struct Look {
        std::size_t left;
        bool may_ask = true;
        bool is_complete = true;
        Sick sick = {};
    };
    const auto this_look = std::make_shared<Look>(Look{questions.size()});
    for (const Filters& question : questions)
        ec2_.describe_instance_status(question, [this, this_look, is_alive = is_alive_](
                                                    const aws::Answer<std::vector<InstanceHealth>>& found) {
            if (!*is_alive) return;
            if (found)
                report(*found, this_look->sick);
            else
                this_look->is_complete = false;
            if (!found && found.error().code == "UnauthorizedOperation") this_look->may_ask = false;
            if (--this_look->left == 0)
                finish(this_look->may_ask, this_look->is_complete, std::move(this_look->sick));
        });
}

void InstanceStatusWatch::report(const std::vector<InstanceHealth>& found, Sick& sick) {
    for (const InstanceHealth& health : found) {
        std::optional<Sickness> sickness = sickness_of(health, loop_.now());
        // The same instance may be in several answers.
        if (!sickness || !sick.emplace(health.id, sickness->category).second) continue;
        if (!counted_.contains({health.id, sickness->category}))
            reports_.counted("interruption_instance_status_unhealthy_total",
                             {{"category", sickness->category}}, 1);
        sickness->event.provider_id = provider_id(health.zone, health.id);
        reports_.happened(sickness->event);
    }
}

void InstanceStatusWatch::finish(bool may_ask, bool is_complete, Sick sick) {
    if (is_complete) counted_ = std::move(sick);
    if (!may_ask) return;
    loop_.after(kBetweenLooks, [this, is_alive = is_alive_] {
        if (*is_alive) look();
    });
}

}  // namespace joiner::cloud::ec2
