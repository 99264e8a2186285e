#include "control/disruption_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "act/object_writer.h"
#include "control/claim_decisions.h"
#include "control/disruption_counts.h"
#include "control/metric_words.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

constexpr Duration kEventGap = std::chrono::minutes{15};

std::string consolidation_type(std::string_view reason, std::size_t nodes) {
    if (reason != plan::kUnderutilized) return "";
    return nodes > 1 ? "multi" : "single";
}

// What an hour costs before and after, and what that takes.
plan::Reason what_it_saves(const model::Snapshot& snapshot, const plan::DisruptionCommand& command) {
    rules::Money after;
    rules::Money interruptions;
    for (const plan::Launch& launch : command.launches) {
        after += launch.spec->price + plan::cost_besides(snapshot, *launch.spec);
        interruptions += launch.spec->interruption_cost;
    }
    std::size_t moves = 0;
    rules::Money before;
    for (const plan::Candidate& candidate : command.leaving) {
        moves += candidate.pods.size();
        before += candidate.price + candidate.interruption_cost;
        interruptions += candidate.interruption_cost;
    }
    if (command.saving) before = after + *command.saving;
    return {.rule = plan::Rule::kSaves,
            .detail = fmt::format("now {:.4f} $ an hour, after {:.4f}{}", before.dollars(), after.dollars(),
                                  interruptions > rules::Money{} ? " with what interruptions cost" : ""),
            .amounts = {{"nodes", static_cast<std::int64_t>(command.leaving.size())},
                        {"moves", static_cast<std::int64_t>(moves)},
                        {"bought", static_cast<std::int64_t>(command.launches.size())},
                        {"nowNanoDollars", before.nanos},
                        {"afterNanoDollars", after.nanos}},
            .money = before - after};
}

}  // namespace

void DisruptionNotes::report(const plan::DisruptionGate& gate) {
    nodes_.record(gate, services_.loop.now());
    for (const auto& [pool, why] : gate.refusals()) {
        const model::PoolState* state = services_.cluster.find_pool(pool);
        if (state == nullptr) continue;
        services_.events.record(
            {act::target_of(state->pool), false, "DisruptionBlocked", in_words(why), kEventGap});
    }
}

void DisruptionNotes::keep(const plan::Blocked& blocked, observe::Matter matter, const std::string& reason) {
    nodes_.keep(blocked.claim, matter, blocked.reasons, services_.loop.now());
    say_blocked(blocked, reason);
}

void DisruptionNotes::say_blocked(const plan::Blocked& blocked, const std::string& reason) {
    say(blocked.claim, reason, in_words(blocked.reasons.front()));
}

void DisruptionNotes::say(const std::string& name, const std::string& reason, const std::string& message) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) return;
    const api::ObjectMeta& claim = state->claim.meta;
    services_.events.record(
        {{"karpenter.sh/v1", "NodeClaim", "", claim.name, claim.uid, ""}, false, reason, message, kEventGap});
    const model::NodeState* node = services_.cluster.node_of(state->claim);
    if (node == nullptr) return;
    services_.events.record({act::target_of(node->node), false, reason, message, kEventGap});
}

void DisruptionNotes::count(const plan::DisruptionCommand& command) {
    std::vector<std::string> claims;
    std::size_t pods = 0;
    for (const plan::Candidate& candidate : command.leaving) {
        claims.push_back(candidate.claim);
        pods += candidate.pods.size();
    }
    const std::string type = consolidation_type(command.reason, claims.size());
    count_decision(metrics_, services_.cluster,
                   {.decision = !command.terminates_first_for.empty() ? "terminate-first"
                                : command.launches.empty()            ? "delete"
                                                                      : "replace",
                    .reason = command.reason,
                    .consolidation_type = type},
                   claims);
    if (!command.terminates_first_for.empty()) {
        metrics_.count("voluntary_disruption_terminate_first_decisions_total",
                       {{"nodepool", command.leaving.front().pool},
                        {"reason", lower(command.reason)},
                        {"terminate_first_reason", std::string(command.terminates_first_for)}});
    }
    observe::log_info("disruption", "disrupting nodes",
                      {{"reason", std::string(command.reason)},
                       {"NodeClaims", fmt::format("{}", fmt::join(claims, " "))},
                       {"replacements", std::to_string(command.launches.size())},
                       {"pods", std::to_string(pods)}});
}

void DisruptionNotes::replace(const std::string& claim, const plan::MachineSpec& spec, std::size_t pods) {
    decide_on_claim(decisions_, claim, {bought(plan::Rule::kReplacement, claim, spec, pods)},
                    services_.loop.now());
}

void DisruptionNotes::fail(std::string_view reason, const std::vector<std::string>& leaving) {
    metrics_.count("voluntary_disruption_queue_failures_total",
                   {{"decision", "replace"},
                    {"reason", lower(reason)},
                    {"consolidation_type", consolidation_type(reason, leaving.size())}});
    observe::log_info(
        "disruption", "gave a disruption up",
        {{"reason", std::string(reason)}, {"NodeClaims", fmt::format("{}", fmt::join(leaving, " "))}});
}

rules::Money DisruptionNotes::leave(const model::Snapshot& snapshot, const plan::DisruptionCommand& command) {
    count(command);
    const plan::Reason saves = what_it_saves(snapshot, command);
    const plan::SharedReasons of_all = plan::share({saves});
    for (const plan::Candidate& candidate : command.leaving) {
        plan::SharedReasons reasons = of_all;
        if (command.reason == plan::kDrifted || command.reason == plan::kExpired) {
            const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
            const api::Condition* drifted =
                claim == nullptr ? nullptr : api::find_condition(claim->claim.conditions, "Drifted");
            const bool has_drifted = command.reason == plan::kDrifted;
            plan::Reason first{.rule = has_drifted ? plan::Rule::kDriftedNode : plan::Rule::kExpiredNode};
            if (has_drifted && drifted != nullptr) first.detail = drifted->reason;
            reasons = plan::share({std::move(first), saves});
        }
        if (!command.returns_to.empty()) {
            const plan::Reason returns{.rule = plan::Rule::kHeavierPool,
                                       .object = "NodePool " + command.returns_to,
                                       .detail = "NodePool " + candidate.pool};
            say(candidate.claim, "ReturnsToHeavierPool", in_words(returns));
            reasons = plan::share({returns, saves});
        }
        for (const observe::Matter matter : {matter_of(command.reason), observe::Matter::kEnd})
            nodes_.record(candidate.claim, matter, observe::Verdict::kLeaves, reasons, services_.loop.now());
    }
    return saves.money.value_or(rules::Money{});
}

void DisruptionNotes::give_up(const std::string& claim, std::string_view reason,
                              const plan::SharedReasons& why) {
    for (const observe::Matter matter : {matter_of(reason), observe::Matter::kEnd})
        nodes_.record(claim, matter, observe::Verdict::kGivenUp, why, services_.loop.now());
}

}  // namespace joiner::control
