#include "plan/disrupt/repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "api/names.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

struct PoolHealth {
    std::int64_t nodes = 0;
    std::int64_t sick = 0;
};

using HealthByPool = std::map<std::string, PoolHealth, std::less<>>;

HealthByPool health_of_pools(const model::Cluster& cluster, const RepairPoliciesByClass& policies) {
    HealthByPool out;
    for (const auto& [name, state] : cluster.nodes()) {
        const std::string_view pool = api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel);
        if (pool.empty() || !cluster.is_ours(state)) continue;
        PoolHealth& health = out[std::string(pool)];
        ++health.nodes;
        if (is_sick(policies, cluster, state)) ++health.sick;
    }
    return out;
}

std::string in_words(const rules::RepairVerdict& verdict, const std::string& pool, const PoolHealth& health) {
    return fmt::format(
        "condition {} has been {}{} since {}, for longer than {}; {} of the {} other nodes of NodePool {} "
        "are "
        "sick",
        verdict.condition, verdict.status, verdict.reason.empty() ? "" : fmt::format(" ({})", verdict.reason),
        format_rfc3339(verdict.since), format_duration(verdict.toleration), health.sick - 1, health.nodes - 1,
        pool);
}

std::optional<Duration> drain_bound(const rules::RepairVerdict& verdict, const api::NodeClaim& claim) {
    if (!verdict.termination_grace) return std::nullopt;
    return std::min(*verdict.termination_grace,
                    claim.termination_grace_period.value_or(*verdict.termination_grace));
}

Reason objects(std::string sentence) {
    return {.rule = Rule::kObjection, .detail = std::move(sentence)};
}

// What keeps repair off a node whose time has come; nullopt when nothing does.
std::optional<Reason> obstacle(const CandidateFinder& finder, const model::ClaimState& state,
                               const model::NodeState& node, const rules::RepairVerdict& verdict) {
    if (api::find_or_empty(node.node.meta.annotations, api::kDoNotRepairAnnotation) == "true")
        return objects(fmt::format("the node is annotated {}=true", api::kDoNotRepairAnnotation));
    if (api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel).empty())
        return objects("it is sick, and repair is for nodes of a NodePool: delete its NodeClaim");
    if (Reasons why = finder.obstacles(state, 1); !why.empty()) return std::move(why.front());
    if (verdict.termination_grace || state.claim.termination_grace_period) return std::nullopt;
    const std::optional<Reason> pod = finder.blocking_pod(node);
    if (!pod) return std::nullopt;
    return objects(in_words(*pod) + "; a terminationGracePeriod would let repair pass over it");
}

}  // namespace

bool is_sick(const RepairPoliciesByClass& policies, const model::Cluster& cluster,
             const model::NodeState& node) {
    const model::ClaimState* claim = cluster.claim_of(node.node);
    const rules::RepairPolicies& its =
        claim == nullptr ? policies.of(node.node.meta.labels) : policies.of(claim->claim.node_class);
    return its.call_sick(node.node);
}

std::int64_t most_sick(std::int64_t nodes) {
    return (nodes + 4) / 5;
}

RepairPlan plan_repair(const DisruptionFacts& facts, const RepairPoliciesByClass& policies,
                       const RebootHistory& reboots, WallTime now) {
    RepairPlan out;
    if (are_empty(policies)) return out;
    const CandidateFinder finder(facts, DisruptionClass::kRepair, now);
    std::optional<HealthByPool> pools;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        if (finder.is_out_of_play(state)) continue;
        const model::NodeState& node = *facts.cluster.node_of(state.claim);
        const rules::RepairPolicies& its = policies.of(state.claim.node_class);
        const WallTime not_before = reboot_ended_at(state.claim);
        if (const auto due = its.next_due(node.node, not_before, now))
            out.look_again_at = std::min(out.look_again_at.value_or(*due), *due);
        auto verdict = its.judge(node.node, not_before, now);
        if (!verdict || finder.is_about_to_be_used(state)) continue;
        if (std::optional<Reason> why = obstacle(finder, state, node, *verdict)) {
            out.blocked.push_back({name, node.node.meta.name, {std::move(*why)}});
            continue;
        }
        if (!pools) pools = health_of_pools(facts.cluster, policies);
        SickNode sick{finder.make(state),
                      *verdict,
                      drain_bound(*verdict, state.claim),
                      rules::is_true(state.claim.conditions, "Initialized"),
                      {}};
        const PoolHealth& health = (*pools)[sick.candidate.pool];
        sick.evidence = in_words(*verdict, sick.candidate.pool, health);
        if (health.sick > most_sick(health.nodes)) {
            out.too_many.push_back(
                {name, node.node.meta.name, {{.rule = Rule::kManySick, .detail = std::move(sick.evidence)}}});
            continue;
        }
        if (sick.verdict.action == rules::RepairAction::kReboot && !reboots.allows(state.claim.meta.uid, now))
            sick.verdict.action = rules::RepairAction::kReplace;
        out.sick.push_back(std::move(sick));
    }
    std::stable_sort(out.sick.begin(), out.sick.end(), [](const SickNode& a, const SickNode& b) {
        return std::tuple(-a.verdict.score, a.candidate.disruption_cost, a.candidate.node) <
               std::tuple(-b.verdict.score, b.candidate.disruption_cost, b.candidate.node);
    });
    return out;
}

std::optional<Reason> repair_objection(const DisruptionFacts& facts, const RepairPoliciesByClass& policies,
                                       const model::ClaimState& state, WallTime now) {
    const model::NodeState* node = facts.cluster.node_of(state.claim);
    if (node == nullptr) return std::nullopt;
    const auto verdict =
        policies.of(state.claim.node_class).judge(node->node, reboot_ended_at(state.claim), now);
    if (!verdict) return objects("the node is well again");
    return obstacle(CandidateFinder(facts, DisruptionClass::kRepair, now), state, *node, *verdict);
}

}  // namespace joiner::plan
