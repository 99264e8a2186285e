#include "plan/lifecycle/reboot.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

constexpr Duration kDay = std::chrono::hours{24};
constexpr std::ptrdiff_t kMostADay = 2;
// Pods bound by a scheduler that had not seen the taint yet must have the time to show up.
constexpr Duration kShortestDrain = std::chrono::seconds{5};

using Kind = RebootStep::Kind;

WallTime requested_at(const api::NodeClaim& claim) {
    return api::find_condition(claim.conditions, kRebooting)->last_transition;
}

bool is_issued(const api::NodeClaim& claim) {
    return api::find_condition(claim.conditions, kRebooting)->reason == kRebootIssued;
}

RebootStep failed(std::string result, std::string message) {
    return {Kind::kFail, {}, std::move(result), std::move(message)};
}

RebootStep not_issued() {
    return failed("provider_error", "the reboot was not begun in time");
}

RebootStep not_back() {
    return failed("recovery_timeout", "the node was not back in time after its reboot");
}

// From the request until the cloud has accepted it.
RebootStep step_of_request(const RebootFacts& facts, WallTime now) {
    const api::NodeClaim& claim = facts.claim;
    const WallTime requested = requested_at(claim);
    if (facts.node == nullptr) return now - requested > kRebootIssueTimeout ? not_issued() : RebootStep{};
    const auto grace = reboot_grace(claim);
    if (!grace) return failed("invalid_request", grace.error().message);
    const api::Node& node = facts.node->node;
    if (!rules::has_taint(node.taints, api::kRebootingTaint, api::kNoSchedule)) return {Kind::kFence};
    if (const auto boot_id = claim.meta.annotations.find(api::kRebootPreBootIdAnnotation);
        boot_id != claim.meta.annotations.end()) {
        if (node.boot_id != boot_id->second) return {Kind::kNoteIssued};
        if (facts.asked_since && now - *facts.asked_since > kRebootIssueTimeout) return not_issued();
        return {Kind::kAsk};
    }
    if (*grace == Duration{0}) return {Kind::kNoteBootId};
    const bool may_wait = !*grace || now < requested + std::max<Duration>(**grace, kShortestDrain);
    NodeStep drain = next_drain_step(facts.cluster, *facts.node, now);
    if (drain.kind == NodeStep::Kind::kDrain && may_wait) return {Kind::kDrain, std::move(drain)};
    if (now < requested + kShortestDrain) return {};
    return {Kind::kNoteBootId};
}

// From then until the node is back.
RebootStep step_of_recovery(const RebootFacts& facts, WallTime now) {
    const api::NodeClaim& claim = facts.claim;
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    if (initialized != nullptr && initialized->status == "Unknown" &&
        now - initialized->last_transition > kRebootRecoveryTimeout)
        return not_back();
    if (facts.node == nullptr) return {};
    const api::Node& node = facts.node->node;
    if (node.meta.labels.contains(api::kInitializedLabel)) return {Kind::kForgetInitialized};
    if (node.boot_id == api::find_or_empty(claim.meta.annotations, api::kRebootPreBootIdAnnotation))
        return {};
    if (rules::has_taint(node.taints, api::kRebootingTaint, api::kNoSchedule)) return {Kind::kUnfence};
    return is_ready(node) ? RebootStep{Kind::kSucceed} : RebootStep{};
}

}  // namespace

RebootStep next_reboot_step(const RebootFacts& facts, WallTime now) {
    return is_issued(facts.claim) ? step_of_recovery(facts, now) : step_of_request(facts, now);
}

std::string reboot_operation(const api::NodeClaim& claim) {
    return fmt::format("{}-{}-{}", claim.meta.uid, requested_at(claim).time_since_epoch().count(),
                       api::find_or_empty(claim.meta.annotations, api::kRebootPreBootIdAnnotation));
}

Result<std::optional<Duration>> reboot_grace(const api::NodeClaim& claim) {
    const auto it = claim.meta.annotations.find(api::kRebootGracePeriodAnnotation);
    if (it == claim.meta.annotations.end()) return std::optional<Duration>{};
    const auto grace = parse_duration(it->second);
    if (!grace || *grace < Duration{0})
        return invalid(fmt::format("{}={} is no duration of 0 or more", api::kRebootGracePeriodAnnotation,
                                   it->second.substr(0, 40)));
    return std::optional<Duration>(*grace);
}

bool is_rebooting(const api::NodeClaim& claim) {
    return rules::is_true(claim.conditions, kRebooting);
}

WallTime reboot_ended_at(const api::NodeClaim& claim) {
    const api::Condition* there = api::find_condition(claim.conditions, kRebooting);
    return there != nullptr && there->status == "False" ? there->last_transition : kNoTime;
}

bool RebootHistory::allows(const std::string& claim_uid, WallTime now) const {
    const auto it = committed_.find(claim_uid);
    if (it == committed_.end()) return true;
    return std::count_if(it->second.begin(), it->second.end(),
                         [now](WallTime at) { return now - at < kDay; }) < kMostADay;
}

void RebootHistory::note(const std::string& claim_uid, WallTime now) {
    committed_[claim_uid].push_back(now);
    std::erase_if(committed_, [now](const auto& item) { return now - item.second.back() >= kDay; });
}

}  // namespace joiner::plan
