#include "control/objections.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

plan::Reason objects(std::string sentence) {
    return {.rule = plan::Rule::kObjection, .detail = std::move(sentence)};
}

// Budgets protect what pods run on; a node that never came up is repaired without one.
bool uses_budget(std::string_view reason, const api::NodeClaim& claim) {
    return reason != plan::kUnhealthy || rules::is_true(claim.conditions, "Initialized");
}

std::string pool_of(const api::NodeClaim& claim) {
    return std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
}

}  // namespace

// The youngest first: where a budget has shrunk, the oldest may go on.
void Objections::ask(RunningCommands& commands) const {
    if (std::none_of(commands.begin(), commands.end(),
                     [](const auto& item) { return item.second.is_revocable(); }))
        return;
    const WallTime now = services_.loop.now();
    const plan::DisruptionFacts facts = ground_.facts();
    const plan::CandidateFinder graceful(facts, plan::DisruptionClass::kGraceful, now);
    const plan::CandidateFinder eventual(facts, plan::DisruptionClass::kEventual, now);
    const plan::DisruptionGate gate = ledger_.gate();
    std::map<std::string, plan::PoolCounts, std::less<>> nodes;  // On their way out, by reason and pool.
    for (const auto& [number, command] : commands) {
        for (const auto& [pool, count] : leaving_nodes(command)) nodes[command.reason][pool] += count;
    }
    for (auto it = commands.rbegin(); it != commands.rend(); ++it) {
        RunningCommand& command = it->second;
        if (!command.is_revocable() || command.objection) continue;
        command.objection = to(command, command.reason == plan::kDrifted ? eventual : graceful, gate);
        const plan::PoolCounts its_nodes = leaving_nodes(command);
        for (const auto& [pool, count] : its_nodes) {
            const std::int64_t allowed = gate.allowed(pool, command.reason);
            if (command.objection || nodes[command.reason][pool] <= allowed) continue;
            command.objection =
                objects(fmt::format("the budgets of NodePool {} leave no room for it any more", pool));
            command.objection->object = "NodePool " + pool;
            command.objection->amounts = {{"allowed", allowed}, {"disrupted", nodes[command.reason][pool]}};
        }
        if (!command.objection) continue;
        for (const auto& [pool, count] : its_nodes) nodes[command.reason][pool] -= count;
    }
}

plan::PoolCounts Objections::leaving_nodes(const RunningCommand& command) const {
    plan::PoolCounts out;
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state != nullptr && uses_budget(command.reason, state->claim)) ++out[pool_of(state->claim)];
    }
    return out;
}

std::optional<plan::Reason> Objections::to(const RunningCommand& command, const plan::CandidateFinder& finder,
                                           const plan::DisruptionGate& gate) const {
    bool are_empty = true;
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted) continue;
        const std::string pool = pool_of(state->claim);
        if (std::optional<plan::Reason> why = uses_budget(command.reason, state->claim)
                                                  ? gate.forbidden(pool, command.reason)
                                                  : gate.paused(pool))
            return why;
        if (command.reason == plan::kDrifted && !rules::is_true(state->claim.conditions, "Drifted"))
            return objects("the node is what its NodePool would make again");
        if (command.reason == plan::kUnhealthy) {
            if (auto why =
                    plan::repair_objection(ground_.facts(), repair_policies_, *state, services_.loop.now()))
                return why;
        } else if (command.reason != plan::kExpired) {
            // Expiry heeds budgets and pauses, and nothing that stands on the node.
            if (std::optional<plan::Reason> why = finder.objection(*state, false)) return why;
        }
        const model::NodeState* node = services_.cluster.node_of(state->claim);
        are_empty &= node == nullptr || plan::is_empty(*node);
    }
    if (are_empty && !command.kin.empty() && !command.created.empty())
        return objects("its pods are gone, and it needs no replacement any more");
    return std::nullopt;
}

std::optional<plan::Reason> Objections::by_budgets(const RunningCommand& command) const {
    if (command.reason == plan::kExpired || command.reason == plan::kUnhealthy) return std::nullopt;
    const plan::DisruptionFacts facts = ground_.facts();
    const plan::CandidateFinder finder(facts,
                                       command.reason == plan::kDrifted ? plan::DisruptionClass::kEventual
                                                                        : plan::DisruptionClass::kGraceful,
                                       services_.loop.now());
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted) continue;
        if (std::optional<plan::Reason> why = finder.objection(*state, true)) return why;
    }
    return std::nullopt;
}

}  // namespace joiner::control
