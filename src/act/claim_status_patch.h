// The status of a claim, being edited: its conditions, and what else is to be merged in. Value type.
#pragma once

#include <nlohmann/json.hpp>

#include "api/karpenter.h"
#include "rules/conditions.h"

namespace joiner::act {

class ClaimStatusPatch {
  public:
    explicit ClaimStatusPatch(const api::NodeClaim& claim)
        : conditions(claim.conditions, rules::kClaimDependents, claim.meta.generation, claim.meta.created) {}
    rules::ConditionEditor conditions;
    nlohmann::json status = nlohmann::json::object();
};

}  // namespace joiner::act
