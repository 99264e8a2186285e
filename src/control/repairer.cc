#include "control/repairer.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/object_writer.h"
#include "api/names.h"
#include "control/disruption_counts.h"
#include "control/metric_words.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

constexpr Duration kReconcileAgain = std::chrono::seconds{10};
constexpr Duration kEventGap = std::chrono::minutes{15};

}  // namespace

void Repairer::reconcile() {
    const WallTime now = services_.loop.now();
    if (plan::are_empty(policies_) || !request_reboot() || now < next_reconcile_ ||
        !disruption_.disruptor.may_start())
        return;
    const plan::RepairPlan plan = plan::plan_repair(disruption_.ground.facts(), policies_, reboots_, now);
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "unhealthy"}},
                 static_cast<double>(plan.sick.size()));
    // Who is sick and still there is reconciled again at once.
    next_reconcile_ = plan.sick.empty() ? std::min(plan.look_again_at.value_or(now + kReconcileAgain),
                                                   now + kReconcileAgain)
                                        : now;
    for (const plan::Blocked& blocked : plan.blocked)
        disruption_.notes.keep(blocked, observe::Matter::kRepair);
    for (const plan::Blocked& one : plan.too_many) say_too_many(one);
    if (plan.sick.empty()) return;
    plan::DisruptionGate gate = disruption_.ledger.gate();
    for (const plan::SickNode& sick : plan.sick) {
        if (repair(sick, gate)) break;
    }
    disruption_.notes.report(gate);
}

void Repairer::node_changed(const std::string& name) {
    const model::NodeState* state = services_.cluster.find_node(name);
    if (state != nullptr && plan::is_sick(policies_, services_.cluster, *state)) next_reconcile_ = kNoTime;
}

bool Repairer::repair(const plan::SickNode& sick, plan::DisruptionGate& gate) {
    const plan::Candidate& candidate = sick.candidate;
    if (disruption_.ledger.is_put_off(candidate.claim)) return false;
    if (sick.is_initialized ? !gate.admit({candidate}, plan::kUnhealthy)
                            : gate.paused(candidate.pool).has_value()) {
        nodes_.keep(candidate.claim, observe::Matter::kRepair, gate.obstacles({candidate}, plan::kUnhealthy),
                    services_.loop.now());
        return false;
    }
    if (sick.verdict.action == rules::RepairAction::kReboot) {
        rebooting_ = sick;
        (void)request_reboot();
    } else if (services_.cluster.find_pool(candidate.pool)->pool.replicas) {
        std::string obstacle = static_pools_.replace(candidate, plan::kUnhealthy, sick.drain_bound);
        if (!obstacle.empty())
            disruption_.notes.keep({candidate.claim,
                                    candidate.node,
                                    {{.rule = plan::Rule::kStaticLimit,
                                      .object = "NodePool " + candidate.pool,
                                      .detail = std::move(obstacle)}}},
                                   observe::Matter::kRepair);
        if (disruption_.disruptor.may_start()) return false;
    } else if (!replacer_.begin(candidate, plan::kUnhealthy, sick.drain_bound)) {
        return false;
    }
    note_begun(sick);
    return true;
}

bool Repairer::request_reboot() {
    if (!rebooting_) return true;
    const std::string& claim = rebooting_->candidate.claim;
    const model::ClaimState* state = services_.cluster.find_claim(claim);
    if (state != nullptr && !state->claim.meta.deleted) {
        const std::optional<Duration> grace =
            rebooting_->drain_bound ? rebooting_->drain_bound : state->claim.termination_grace_period;
        const std::string why =
            fmt::format("rebooting for {}/{}", rebooting_->verdict.condition, rebooting_->verdict.reason);
        if (!lifecycle_.request_reboot(claim, grace, why)) return false;
        reboots_.note(state->claim.meta.uid, services_.loop.now());
        count_decision(metrics_, services_.cluster, {.decision = "reboot", .reason = plan::kUnhealthy},
                       {claim});
    }
    rebooting_.reset();
    return true;
}

void Repairer::say_too_many(const plan::Blocked& one) {
    const std::string message = in_words(one.reasons);
    nodes_.keep(one.claim, observe::Matter::kRepair, one.reasons, services_.loop.now());
    const auto say = [&](kube::EventTarget target) {
        services_.events.record({std::move(target), true, "NodeRepairBlocked", message, kEventGap});
    };
    const model::ClaimState* claim = services_.cluster.find_claim(one.claim);
    const model::NodeState* node = services_.cluster.find_node(one.node);
    if (claim == nullptr || node == nullptr) return;
    say(act::target_of(claim->claim));
    say(act::target_of(node->node));
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel));
    if (pool != nullptr) say(act::target_of(pool->pool));
}

void Repairer::note_begun(const plan::SickNode& sick) {
    const plan::Candidate& candidate = sick.candidate;
    const bool reboots = sick.verdict.action == rules::RepairAction::kReboot;
    const plan::Reasons why = {
        {.rule = plan::Rule::kSick,
         .detail = sick.evidence + (reboots ? "; it is rebooted" : "; it is replaced")}};
    disruption_.notes.say_blocked({candidate.claim, candidate.node, why}, "NodeRepaired");
    nodes_.record(candidate.claim, observe::Matter::kRepair, observe::Verdict::kRemoved, plan::share(why),
                  services_.loop.now());
    const model::ClaimState* state = services_.cluster.find_claim(candidate.claim);
    if (state == nullptr) return;
    const api::NodeClaim& claim = state->claim;
    const std::optional<Duration> bound =
        sick.drain_bound ? sick.drain_bound : claim.termination_grace_period;
    metrics_.count(
        "nodeclaims_unhealthy_disrupted_total",
        {{"condition", snake_case(sick.verdict.condition)},
         {"nodepool", candidate.pool},
         {"capacity_type", std::string(api::find_or_empty(claim.meta.labels, api::kCapacityTypeLabel))},
         {"image_id", claim.image_id},
         {"termination_mode", termination_mode(bound)}});
    observe::log_info(
        "repair", "replacing a sick node",
        {{"NodeClaim", candidate.claim}, {"Node", candidate.node}, {"evidence", sick.evidence}});
}

}  // namespace joiner::control
