#include "control/node_decisions.h"

namespace joiner::control {

using observe::Matter;
using observe::Verdict;

observe::Matter matter_of(std::string_view reason) {
    if (reason == plan::kEmpty) return Matter::kEmptiness;
    if (reason == plan::kDrifted) return Matter::kDrift;
    if (reason == plan::kUnderutilized) return Matter::kConsolidation;
    return reason == plan::kExpired ? Matter::kExpiry : Matter::kRepair;
}

void NodeDecisions::record(const std::string& claim, Matter matter, Verdict verdict,
                           plan::SharedReasons reasons, WallTime now) {
    const model::ClaimState* state = cluster_.find_claim(claim);
    const model::NodeState* node = state == nullptr ? nullptr : cluster_.node_of(state->claim);
    if (node == nullptr) return;
    log_.record({observe::Subject::node(node->node.meta), matter, verdict, std::move(reasons), now});
}

void NodeDecisions::record(const plan::DisruptionGate& gate, WallTime now) {
    for (plan::DisruptionGate::Answer& answer : gate.answers()) {
        const model::PoolState* pool = cluster_.find_pool(answer.pool);
        if (pool == nullptr) continue;
        log_.record({observe::Subject::pool(pool->pool.meta), matter_of(answer.reason),
                     answer.refusals.empty() ? Verdict::kOpen : Verdict::kClosed,
                     plan::share(std::move(answer.refusals)), now});
    }
}

}  // namespace joiner::control
