#include "plan/lifecycle/legacy_repair.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/names.h"
#include "plan/disrupt/repair.h"
#include "rules/repair_policies.h"

namespace joiner::plan {
namespace {

struct Group {
    std::int64_t nodes = 0;
    std::int64_t sick = 0;
};

struct Finding {
    const api::Condition* condition = nullptr;
    Duration toleration{0};
    WallTime due = kNoTime;
};

// The condition that is closest to its end, if any is bad.
std::optional<Finding> examine(const api::Node& node, const std::vector<rules::RepairPolicy>& policies) {
    std::optional<Finding> out;
    for (const rules::RepairPolicy& policy : policies) {
        const api::Condition* condition = api::find_condition(node.conditions, policy.condition);
        if (condition == nullptr || condition->status != policy.status) continue;
        if (policy.action != rules::RepairAction::kReplace || !rules::meets_reason(policy, *condition))
            continue;
        const WallTime due = condition->last_transition + policy.toleration;
        if (!out || due < out->due) out = {condition, policy.toleration, due};
    }
    return out;
}

std::string in_words(const Finding& finding, const std::string& pool, const Group& group) {
    const std::string where = pool.empty() ? "the cluster" : "NodePool " + pool;
    const api::Condition& c = *finding.condition;
    return fmt::format(
        "condition {} has been {}{} since {}, for longer than {}; {} of the {} other nodes of {} are "
        "sick",
        c.type, c.status, c.reason.empty() ? "" : fmt::format(" ({})", c.reason),
        format_rfc3339(c.last_transition), format_duration(finding.toleration), group.sick - 1,
        group.nodes - 1, where);
}

}  // namespace

bool is_past_its_time(const model::Cluster& cluster, const model::NodeState& node,
                      const LegacyPoliciesByClass& policies, WallTime now) {
    const model::ClaimState* claim = cluster.claim_of(node.node);
    const auto finding = examine(node.node, claim == nullptr ? policies.of(node.node.meta.labels)
                                                             : policies.of(claim->claim.node_class));
    return finding && finding->due <= now;
}

LegacyRepairPlan plan_legacy_repair(const model::Cluster& cluster, const LegacyPoliciesByClass& policies,
                                    WallTime now) {
    LegacyRepairPlan out;
    if (policies.all([](const auto& its) { return its.empty(); })) return out;
    std::map<std::string, Group> groups;
    Group everybody;
    std::vector<std::pair<LegacySickNode, Finding>> sick;
    for (const auto& [name, state] : cluster.our_claims()) {
        const model::NodeState* node = cluster.node_of(state.claim);
        if (node == nullptr) continue;
        const std::string pool(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        Group& group = groups[pool];
        ++group.nodes;
        ++everybody.nodes;
        const auto finding = examine(node->node, policies.of(state.claim.node_class));
        if (!finding) continue;
        ++group.sick;
        ++everybody.sick;
        // On its way already.
        if (state.claim.meta.deleted || node->node.meta.deleted) continue;
        sick.push_back(
            {{name, node->node.meta.name, pool, finding->condition->type, finding->due, {}}, *finding});
    }
    for (auto& [one, finding] : sick) {
        if (now < one.due) {
            out.look_again_at = std::min(out.look_again_at.value_or(one.due), one.due);
            continue;
        }
        const Group& group = one.pool.empty() ? everybody : groups[one.pool];
        one.evidence = in_words(finding, one.pool, group);
        auto& where = group.sick <= most_sick(group.nodes) ? out.repairs : out.blocked;
        where.push_back(std::move(one));
    }
    return out;
}

}  // namespace joiner::plan
