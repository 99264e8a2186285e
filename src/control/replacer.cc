#include "control/replacer.h"

#include "plan/disrupt/drift.h"
#include "plan/disrupt/expired.h"
#include "plan/disrupt/rollout.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

// A node whose pods had no place makes way for others.
constexpr int kTriesARound = 3;

}  // namespace

void Replacer::reconcile() {
    if (disruption_.disruptor.may_start()) replace_expired();
    if (disruption_.disruptor.may_start()) replace_drifted();
}

void Replacer::replace_expired() {
    const WallTime now = services_.loop.now();
    const std::vector<plan::Expired> all = plan::find_expired(disruption_.ground.facts(), now);
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "expired"}},
                 static_cast<double>(all.size()));
    if (all.empty()) return;
    plan::DisruptionGate gate = disruption_.ledger.gate();
    int tries = 0;
    for (const plan::Expired& one : all) {
        if (!disruption_.disruptor.may_start() || tries == kTriesARound) break;
        if (one.goes_at_once) {
            if (gate.admit({one.candidate}, plan::kExpired)) {
                disruption_.disruptor.start(model::Snapshot{}, {plan::kExpired, {one.candidate}, {}, {}});
            } else {
                nodes_.keep(one.candidate.claim, observe::Matter::kExpiry,
                            gate.obstacles({one.candidate}, plan::kExpired), now);
            }
        } else if (!replace(one.candidate, plan::kExpired, gate)) {
            ++tries;
        }
    }
    disruption_.notes.report(gate);
}

void Replacer::replace_drifted() {
    const plan::DriftPlan drift = plan::plan_drift(disruption_.ground.facts(), services_.loop.now());
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "drifted"}},
                 static_cast<double>(drift.candidates.size()));
    const WallTime now = services_.loop.now();
    for (const plan::Blocked& blocked : drift.blocked)
        disruption_.notes.keep(blocked, observe::Matter::kDrift);
    if (drift.candidates.empty()) return;
    plan::DisruptionGate gate = disruption_.ledger.gate();
    plan::Rollout rollout(services_.cluster, disruption_.disruptor.moving(plan::kDrifted));
    int tries = 0;
    for (const plan::Candidate& candidate : drift.candidates) {
        if (!disruption_.disruptor.may_start() || tries == kTriesARound) break;
        // Why it failed has been said.
        if (disruption_.ledger.is_put_off(candidate.claim)) continue;
        const auto keep = [&](plan::Rule rule) {
            nodes_.keep(candidate.claim, observe::Matter::kDrift,
                        {{.rule = rule, .object = "NodePool " + candidate.pool}}, now);
        };
        if (disruption_.ledger.is_pool_put_off(candidate.pool)) {
            keep(plan::Rule::kPutOff);
            continue;
        }
        const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
        if (!candidate.pods.empty() && (claim == nullptr || !rollout.admit(claim->claim))) {
            keep(plan::Rule::kWave);
            continue;
        }
        if (!replace(candidate, plan::kDrifted, gate)) ++tries;
    }
    disruption_.notes.report(gate);
}

bool Replacer::replace(const plan::Candidate& candidate, std::string_view reason,
                       plan::DisruptionGate& gate) {
    if (disruption_.ledger.is_put_off(candidate.claim)) return true;
    if (!gate.admit({candidate}, reason)) {
        nodes_.keep(candidate.claim, matter_of(reason), gate.obstacles({candidate}, reason),
                    services_.loop.now());
        return true;
    }
    return begin(candidate, reason);
}

bool Replacer::begin(const plan::Candidate& candidate, std::string_view reason,
                     std::optional<Duration> drain_bound) {
    model::Snapshot snapshot = disruption_.ground.snapshot_without({candidate});
    const auto plan = [&] {
        return plan::plan_replacement(snapshot, {candidate}, reason,
                                      provisioner_.plan_options(snapshot.pods.size()));
    };
    auto command = plan();
    if (!command) {
        snapshot = disruption_.ground.snapshot_without({candidate}, DisruptionGround::Rooms::kWithLastResort);
        command = plan();
    }
    if (!command) {
        if (auto first = plan_to_go_first(candidate, reason, snapshot)) command = std::move(first);
    }
    if (!command) {
        disruption_.ledger.put_off(candidate.claim);
        disruption_.notes.keep({candidate.claim,
                                candidate.node,
                                {{.rule = plan::Rule::kNoPlace, .detail = command.error().message}}},
                               matter_of(reason));
        return false;
    }
    command->drain_bound = drain_bound;
    disruption_.disruptor.start(snapshot, *command);
    return true;
}

Result<plan::DisruptionCommand> Replacer::plan_to_go_first(const plan::Candidate& candidate,
                                                           std::string_view reason,
                                                           model::Snapshot& snapshot) {
    const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
    const model::PoolState* pool = services_.cluster.find_pool(candidate.pool);
    const auto types = pool == nullptr ? nullptr : services_.offers.instance_types(pool->pool);
    if (!terminate_first_.allows(reason) || claim == nullptr || types == nullptr ||
        !plan::gives_back_reservation(claim->claim, pool->pool, *types))
        return fail(ErrorKind::kUnavailable, "it makes no room by going first");
    const model::ClaimNames gives_back{candidate.claim};
    model::Snapshot then = disruption_.ground.snapshot_without(
        {candidate}, DisruptionGround::Rooms::kWithLastResort, &gives_back);
    auto out = plan::plan_replacement(then, {candidate}, reason, provisioner_.plan_options(then.pods.size()));
    if (!out) return out;
    out->launches.clear();
    out->terminates_first_for = plan::kNoReservedCapacity;
    snapshot = std::move(then);
    return out;
}

}  // namespace joiner::control
