// What a node costs besides its price: licences, addresses, agents paid by the node. A setting of the
// NodePool, as an annotation. Pure.
#pragma once

#include "api/karpenter.h"
#include "base/result.h"
#include "rules/money.h"

namespace joiner::rules {

// Nothing where the pool does not say; an error where what it says is not a sum of dollars.
Result<Money> node_cost(const api::NodePool& pool);

}  // namespace joiner::rules
