#include "control/replacer.h"

#include "plan/disrupt/drift.h"
#include "plan/disrupt/expired.h"
#include "plan/disrupt/rollout.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

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
    nodes_.keep_only(observe::Matter::kExpiry,
                     [now](const model::ClaimState& claim) { return plan::is_expired(claim.claim, now); });
    if (all.empty()) return;
    plan::DisruptionGate gate = disruptor_.gate();
    int tries = 0;
    for (const plan::Expired& one : all) {
        if (!disruptor_.may_start() || tries == kTriesALook) break;
        if (one.goes_at_once) {
            if (gate.admit({one.candidate}, plan::kExpired)) {
                disruptor_.start(model::Snapshot{}, {plan::kExpired, {one.candidate}, {}, {}});
            } else {
                nodes_.keep(one.candidate.claim, observe::Matter::kExpiry,
                            gate.obstacles({one.candidate}, plan::kExpired), now);
            }
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
    const WallTime now = services_.loop.now();
    nodes_.keep_only(observe::Matter::kDrift, [](const model::ClaimState& claim) {
        return rules::is_true(claim.claim.conditions, "Drifted");
    });
    for (const plan::Blocked& blocked : drift.blocked) disruptor_.keep(blocked, observe::Matter::kDrift);
    if (drift.candidates.empty()) return;
    plan::DisruptionGate gate = disruptor_.gate();
    plan::Rollout rollout(services_.cluster, disruptor_.moving(plan::kDrifted));
    int tries = 0;
    for (const plan::Candidate& candidate : drift.candidates) {
        if (!disruptor_.may_start() || tries == kTriesALook) break;
        // Why it failed has been said.
        if (disruptor_.is_put_off(candidate.claim)) continue;
        const auto keep = [&](plan::Rule rule) {
            nodes_.keep(candidate.claim, observe::Matter::kDrift,
                        {{.rule = rule, .object = "NodePool " + candidate.pool}}, now);
        };
        if (disruptor_.is_pool_put_off(candidate.pool)) {
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
    disruptor_.report(gate);
}

bool Replacer::replace(const plan::Candidate& candidate, std::string_view reason,
                       plan::DisruptionGate& gate) {
    if (disruptor_.is_put_off(candidate.claim)) return true;
    if (!gate.admit({candidate}, reason)) {
        nodes_.keep(candidate.claim, matter_of(reason), gate.obstacles({candidate}, reason),
                    services_.loop.now());
        return true;
    }
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
        if (auto first = plan_to_go_first(candidate, reason, snapshot)) command = std::move(first);
    }
    if (!command) {
        disruptor_.put_off(candidate.claim);
        disruptor_.keep({candidate.claim,
                         candidate.node,
                         {{.rule = plan::Rule::kNoPlace, .detail = command.error().message}}},
                        matter_of(reason));
        return false;
    }
    command->drain_bound = drain_bound;
    disruptor_.start(snapshot, *command);
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
    model::Snapshot then =
        disruptor_.snapshot_without({candidate}, Disruptor::Rooms::kWithLastResort, &gives_back);
    auto out = plan::plan_replacement(then, {candidate}, reason, provisioner_.plan_options(then.pods.size()));
    if (!out) return out;
    out->launches.clear();
    out->terminates_first_for = plan::kNoReservedCapacity;
    snapshot = std::move(then);
    return out;
}

}  // namespace joiner::control
