#include "plan/lifecycle/claim_marks.h"

#include <algorithm>

#include "plan/disrupt/candidates.h"
#include "plan/disrupt/drift.h"
#include "rules/conditions.h"

namespace joiner::plan {

ClaimMarks wanted_claim_marks(const ClaimMarkFacts& facts, WallTime now) {
    ClaimMarks out;
    const api::NodeClaim& claim = facts.claim;
    // First of all: what it says about drift follows from it.
    if (auto annotations = restamped_hash(claim, facts.pool)) {
        out.annotations = std::move(*annotations);
        return out;
    }

    const auto drift = drift_reason({claim, facts.pool, facts.types, facts.provider_drift}, now);
    const api::Condition* drifted = api::find_condition(claim.conditions, "Drifted");
    if (drift && (drifted == nullptr ? std::string_view{} : drifted->reason) != *drift) out.drift = drift;

    const WallTime written = claim.last_pod_event.value_or(kNoTime);
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    const bool is_quiet = now - std::max(facts.last_pod_event, initialized->last_transition) >= kPodEventGap;
    const bool is_overdue =
        facts.last_pod_event - std::max(written, initialized->last_transition) >= kLongestPodEventGap;
    if (facts.last_pod_event - written >= kPodEventGap && (is_quiet || is_overdue))
        out.last_pod_event = facts.last_pod_event;
    const auto at = consolidatable_at(claim, facts.pool, facts.last_pod_event);
    const bool may_say = is_quiet || (facts.is_empty && now - initialized->last_transition >= kPodEventGap);
    const bool is_consolidatable = at && *at <= now && may_say;
    if (is_consolidatable != rules::is_true(claim.conditions, "Consolidatable"))
        out.is_consolidatable = is_consolidatable;
    return out;
}

}  // namespace joiner::plan
