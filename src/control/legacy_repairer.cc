#include "control/legacy_repairer.h"

#include <algorithm>

#include "api/names.h"
#include "control/metric_words.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

constexpr Duration kReconcileAgain = std::chrono::seconds{10};
constexpr Duration kEventGap = std::chrono::minutes{15};

}  // namespace

void LegacyRepairer::reconcile() {
    const WallTime now = services_.loop.now();
    std::erase_if(begun_, [&](const std::string& claim) {
        const model::ClaimState* state = services_.cluster.find_claim(claim);
        if (state == nullptr || state->claim.meta.deleted) return true;
        (void)lifecycle_.end_by(claim, now, "unhealthy");
        return false;
    });
    if (now < next_reconcile_) return;
    const plan::LegacyRepairPlan plan = plan::plan_legacy_repair(services_.cluster, policies_, now);
    next_reconcile_ = std::min(plan.look_again_at.value_or(now + kReconcileAgain), now + kReconcileAgain);
    for (const plan::LegacySickNode& sick : plan.repairs) repair(sick);
    for (const plan::LegacySickNode& sick : plan.blocked) {
        plan::Reason why{.rule = plan::Rule::kManySick, .detail = sick.evidence};
        say(sick, true, "NodeRepairBlocked", in_words(why));
        nodes_.keep(sick.claim, observe::Matter::kRepair, {std::move(why)}, now);
    }
}

void LegacyRepairer::node_changed(const std::string& name) {
    const model::NodeState* state = services_.cluster.find_node(name);
    if (state == nullptr || state->node.meta.deleted ||
        !plan::is_past_its_time(services_.cluster, *state, policies_, services_.loop.now()))
        return;
    next_reconcile_ = kNoTime;
    reconcile();
}

bool LegacyRepairer::is_concerned_with(const model::ClaimState& claim, const model::NodeState& node) const {
    return begun_.contains(claim.claim.meta.name) ||
           plan::is_past_its_time(services_.cluster, node, policies_, services_.loop.now());
}

void LegacyRepairer::repair(const plan::LegacySickNode& sick) {
    const model::ClaimState* state = services_.cluster.find_claim(sick.claim);
    if (state == nullptr || !begun_.insert(sick.claim).second) return;
    say(sick, false, "NodeRepaired", "removed by force: " + sick.evidence);
    nodes_.record(sick.claim, observe::Matter::kRepair, observe::Verdict::kRemoved,
                  plan::share({{.rule = plan::Rule::kSick, .detail = sick.evidence}}), services_.loop.now());
    (void)lifecycle_.end_by(sick.claim, services_.loop.now(), "unhealthy");
    const api::NodeClaim& claim = state->claim;
    metrics_.count(
        "nodeclaims_unhealthy_disrupted_total",
        {{"condition", snake_case(sick.condition)},
         {"nodepool", sick.pool},
         {"capacity_type", std::string(api::find_or_empty(claim.meta.labels, api::kCapacityTypeLabel))},
         {"image_id", claim.image_id},
         {"termination_mode", "forceful"}});
    observe::log_info("repair", "removing a sick node",
                      {{"NodeClaim", sick.claim}, {"Node", sick.node}, {"evidence", sick.evidence}});
}

void LegacyRepairer::say(const plan::LegacySickNode& sick, bool is_warning, const std::string& reason,
                         const std::string& message) {
    const model::ClaimState* claim = services_.cluster.find_claim(sick.claim);
    const model::NodeState* node = services_.cluster.find_node(sick.node);
    if (claim != nullptr)
        services_.events.record({act::target_of(claim->claim), is_warning, reason, message, kEventGap});
    if (node != nullptr)
        services_.events.record({act::target_of(node->node), is_warning, reason, message, kEventGap});
}

}  // namespace joiner::control
