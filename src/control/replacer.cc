#include "control/replacer.h"

#include "plan/disrupt/drift.h"
#include "plan/disrupt/expired.h"
#include "plan/disrupt/rollout.h"

namespace joiner::control {
namespace {

// A node whose pods had no place makes way for others.
constexpr int kTriesALook = 3;

}  // namespace

void Replacer::look() {
    if (disruptor_.may_start()) replace_expired();
    if (disruptor_.may_start()) replace_drifted();
}

void Replacer::replace_expired() {
    const WallTime now = services_.loop.now();
    const std::vector<plan::Expired> all = plan::find_expired(disruptor_.facts(), now);
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "expired"}},
                 static_cast<double>(all.size()));
    if (all.empty()) return;
    plan::DisruptionGate gate = disruptor_.gate();
    int tries = 0;
    for (const plan::Expired& one : all) {
        if (!disruptor_.may_start() || tries == kTriesALook) break;
        if (one.goes_at_once) {
            if (gate.admit({one.candidate}, plan::kExpired))
                disruptor_.start(model::Snapshot{}, {plan::kExpired, {one.candidate}, {}, {}});
        } else if (!replace(one.candidate, plan::kExpired, gate)) {
            ++tries;
        }
    }
    disruptor_.report(gate);
}

void Replacer::replace_drifted() {
    const plan::DriftPlan drift = plan::plan_drift(disruptor_.facts(), services_.loop.now());
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "drifted"}},
                 static_cast<double>(drift.candidates.size()));
    for (const plan::Blocked& blocked : drift.blocked) disruptor_.say_blocked(blocked);
    if (drift.candidates.empty()) return;
    plan::DisruptionGate gate = disruptor_.gate();
    plan::Rollout rollout(services_.cluster, disruptor_.moving(plan::kDrifted));
    int tries = 0;
    for (const plan::Candidate& candidate : drift.candidates) {
        if (!disruptor_.may_start() || tries == kTriesALook) break;
        if (disruptor_.is_put_off(candidate.claim) || disruptor_.is_pool_put_off(candidate.pool)) continue;
        const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
        if (!candidate.pods.empty() && (claim == nullptr || !rollout.admit(claim->claim))) continue;
        if (!replace(candidate, plan::kDrifted, gate)) ++tries;
    }
    disruptor_.report(gate);
}

bool Replacer::replace(const plan::Candidate& candidate, std::string_view reason,
                       plan::DisruptionGate& gate) {
    if (disruptor_.is_put_off(candidate.claim) || !gate.admit({candidate}, reason)) return true;
    return begin(candidate, reason);
}

bool Replacer::begin(const plan::Candidate& candidate, std::string_view reason,
                     std::optional<Duration> drain_bound) {
    model::Snapshot snapshot = disruptor_.snapshot_without({candidate});
    const auto plan = [&] {
        return plan::plan_replacement(snapshot, {candidate}, reason,
                                      provisioner_.plan_options(snapshot.pods.size()));
    };
    auto command = plan();
    if (!command) {
        snapshot = disruptor_.snapshot_without({candidate}, Disruptor::Rooms::kWithLastResort);
        command = plan();
    }
    if (!command) {
        disruptor_.put_off(candidate.claim);
        disruptor_.say_blocked({candidate.claim, candidate.node, command.error().message});
        return false;
    }
    command->drain_bound = drain_bound;
    disruptor_.start(snapshot, *command);
    return true;
}

}  // namespace joiner::control
