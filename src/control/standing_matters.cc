#include "control/standing_matters.h"

#include "plan/disrupt/empty.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/conditions.h"

namespace joiner::control {

void StandingMatters::review(const std::string& name) {
    const model::ClaimState* claim = cluster_.find_claim(name);
    const model::NodeState* node = claim == nullptr ? nullptr : cluster_.node_of(claim->claim);
    if (node == nullptr) return;
    decisions_.keep_only(observe::Subject::node(node->node.meta),
                         [&](observe::Matter matter) { return stands(matter, *claim, *node); });
}

bool StandingMatters::stands(observe::Matter matter, const model::ClaimState& claim,
                             const model::NodeState& node) const {
    switch (matter) {
        case observe::Matter::kEmptiness:
            return plan::is_empty(node);
        case observe::Matter::kDrift:
            return rules::is_true(claim.claim.conditions, "Drifted");
        case observe::Matter::kExpiry:
            return plan::is_expired(claim.claim, loop_.now());
        case observe::Matter::kRepair:
            return is_sick_(claim, node);
        default:
            return true;
    }
}

}  // namespace joiner::control
