#include "act/reboot.h"

#include <nlohmann/json.hpp>

#include "act/claim_status_patch.h"
#include "api/names.h"

namespace joiner::act {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds{5};
constexpr Duration kEventGap = std::chrono::minutes{30};
constexpr std::string_view kNotInitialized = "Rebooting";

std::vector<api::Taint> without_fence(const api::Node& node) {
    std::vector<api::Taint> out = node.taints;
    std::erase_if(out, [](const api::Taint& taint) { return taint.key == api::kRebootingTaint; });
    return out;
}

nlohmann::json annotation(std::string_view key, nlohmann::json value) {
    return {{"metadata", {{"annotations", {{std::string(key), std::move(value)}}}}}};
}

}  // namespace

bool Reboot::request(const api::NodeClaim& claim, std::optional<Duration> grace, const std::string& why) {
    if (plan::is_rebooting(claim)) return true;
    if (!writer_.may_act_on(claim)) return false;
    const auto there = claim.meta.annotations.find(api::kRebootGracePeriodAnnotation);
    const bool is_there = there != claim.meta.annotations.end();
    if (is_there != grace.has_value() || (is_there && there->second != format_duration(*grace))) {
        nlohmann::json value;
        if (grace) value = format_duration(*grace);
        writer_.patch_claim(claim, "", dump(annotation(api::kRebootGracePeriodAnnotation, std::move(value))));
        return false;
    }
    writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
        const WallTime now = services_.loop.now();
        patch.conditions.set("DisruptionReason", "True", "Unhealthy", "", now);
        patch.conditions.set(plan::kRebooting, "True", std::string(plan::kRebootRequested), why, now);
    });
    return false;
}

void Reboot::step(const api::NodeClaim& claim, const model::NodeState* node) {
    const std::string& name = claim.meta.name;
    const api::Node* its_node = node == nullptr ? nullptr : &node->node;
    if (const auto rejected = rejected_.find(name); rejected != rejected_.end())
        return fail({plan::RebootStep::Kind::kFail, {}, "provider_error", rejected->second}, claim, its_node);
    plan::RebootFacts facts{services_.cluster, claim, node};
    if (const auto asked = asked_since_.find(name); asked != asked_since_.end())
        facts.asked_since = asked->second;
    perform(plan::next_reboot_step(facts, services_.loop.now()), claim, its_node);
}

void Reboot::perform(const plan::RebootStep& step, const api::NodeClaim& claim, const api::Node* node) {
    using Kind = plan::RebootStep::Kind;
    switch (step.kind) {
        case Kind::kNothing:
            return;
        case Kind::kFence: {
            std::vector<api::Taint> taints = without_fence(*node);
            taints.push_back({std::string(api::kRebootingTaint), "", std::string(api::kNoSchedule), {}});
            return writer_.write_taints(*node, taints);
        }
        case Kind::kDrain:
            return node_end_.evict_some(step.drain, *node);
        case Kind::kNoteBootId:
            return writer_.patch_claim(claim, "",
                                       dump(annotation(api::kRebootPreBootIdAnnotation, node->boot_id)));
        case Kind::kAsk:
            return ask(claim);
        case Kind::kNoteIssued:
            return note_issued(claim);
        case Kind::kForgetInitialized:
            return writer_.patch_node(
                *node, dump({{"metadata", {{"labels", {{api::kInitializedLabel, nullptr}}}}}}));
        case Kind::kUnfence:
            services_.events.record(
                {target_of(claim), false, "RebootObserved", "the machine has started anew", kEventGap});
            return writer_.write_taints(*node, without_fence(*node));
        case Kind::kSucceed:
            return succeed(claim);
        case Kind::kFail:
            return fail(step, claim, node);
    }
}

void Reboot::ask(const api::NodeClaim& claim) {
    const std::string name = claim.meta.name;
    const WallTime now = services_.loop.now();
    asked_since_.try_emplace(name, now);
    if (const auto it = not_before_.find(name); it != not_before_.end() && now < it->second) return;
    writer_.begin(claim_key(name));
    services_.providers.of(claim.node_class)
        .reboot(claim, plan::reboot_operation(claim),
                [this, name, uid = claim.meta.uid](const Status& status) {
                    writer_.done(claim_key(name));
                    const model::ClaimState* state = services_.cluster.find_claim(name);
                    if (state == nullptr || state->claim.meta.uid != uid) return;
                    not_before_[name] = services_.loop.now() + kAskAgain;
                    if (!status) return refused(name, status.error());
                    note_issued(state->claim);
                });
}

void Reboot::refused(const std::string& claim, const Error& error) {
    services_.notices.failed("reboot the machine of NodeClaim " + claim, error);
    if (error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kForbidden ||
        error.kind == ErrorKind::kNotFound)
        rejected_[claim] = "the cloud will not do it: " + error.message;
    services_.reconcile_claim(claim);
}

void Reboot::note_issued(const api::NodeClaim& claim) {
    if (!plan::is_rebooting(claim) || !writer_.may_act_on(claim)) return;
    const api::Condition* there = api::find_condition(claim.conditions, plan::kRebooting);
    writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
        const WallTime now = services_.loop.now();
        patch.conditions.set(plan::kRebooting, "True", std::string(plan::kRebootIssued), there->message, now);
        patch.conditions.set("Initialized", "Unknown", std::string(kNotInitialized), "the node is rebooting",
                             now);
    });
}

bool Reboot::end(const api::NodeClaim& claim, std::string_view reason, const std::string& message) {
    if (claim.meta.annotations.contains(api::kRebootPreBootIdAnnotation)) {
        writer_.patch_claim(claim, "", dump(annotation(api::kRebootPreBootIdAnnotation, nullptr)));
        return false;
    }
    writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
        patch.conditions.set(plan::kRebooting, "False", std::string(reason), message, services_.loop.now());
    });
    return true;
}

void Reboot::succeed(const api::NodeClaim& claim) {
    if (!end(claim, plan::kRebootSucceeded, "the node has started anew and is back")) return;
    tell(claim, "succeeded");
    forget(claim.meta.name);
}

void Reboot::fail(const plan::RebootStep& step, const api::NodeClaim& claim, const api::Node* node) {
    if (node != nullptr && without_fence(*node).size() != node->taints.size())
        return writer_.write_taints(*node, without_fence(*node));
    const auto grace = plan::reboot_grace(claim);
    if (!grace) {
        if (!end(claim, plan::kRebootFailed, step.message)) return;
    } else {
        std::optional<WallTime> deadline;
        if (*grace) deadline = services_.loop.now() + **grace;
        if (!end_by_(claim.meta.name, deadline)) return;
    }
    services_.events.record({target_of(claim), true, "RebootFailed", step.message, kEventGap});
    tell(claim, step.result);
    forget(claim.meta.name);
}

void Reboot::tell(const api::NodeClaim& claim, std::string_view result) {
    const WallTime now = services_.loop.now();
    const api::Condition* rebooting = api::find_condition(claim.conditions, plan::kRebooting);
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    std::optional<Duration> recovery;
    if (result == "succeeded" && initialized != nullptr && initialized->status == "Unknown")
        recovery = now - initialized->last_transition;
    services_.notices.node_rebooted(result, now - rebooting->last_transition, recovery);
}

}  // namespace joiner::act
