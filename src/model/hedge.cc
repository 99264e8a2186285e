#include "model/hedge.h"

#include "api/names.h"

namespace joiner::model {

const ClaimState* hedged_by(const Cluster& cluster, const api::NodeClaim& claim) {
    const std::string_view name = api::find_or_empty(claim.meta.annotations, kHedgeOfAnnotation);
    if (name.empty()) return nullptr;
    const ClaimState* other = cluster.find_claim(name);
    const bool is_its_own =
        other != nullptr && !other->claim.meta.deleted &&
        api::find_or_empty(other->claim.meta.annotations, kHedgedByAnnotation) == claim.meta.name;
    return is_its_own ? other : nullptr;
}

}  // namespace joiner::model
