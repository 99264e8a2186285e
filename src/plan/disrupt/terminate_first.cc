#include "plan/disrupt/terminate_first.h"

#include <algorithm>

#include "api/names.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {
namespace {

using rules::InstanceType;
using rules::Offering;

bool is_reserved(const Offering& offering) {
    return offering.capacity_type() == api::kReserved;
}

// `visit(type, offering)` for each offering that nodes of the pool may be made of, while it says true;
// whether it did so of all.
template <typename F>
bool all_of_compatible(const api::NodePool& pool, const std::vector<InstanceType>& types, F visit) {
    const rules::Requirements wanted = model::make_pool_view(pool, {}, 0).requirements;
    return std::all_of(types.begin(), types.end(), [&](const InstanceType& type) {
        return !rules::intersects(wanted, type.requirements) ||
               std::all_of(type.offerings.begin(), type.offerings.end(), [&](const Offering& offering) {
                   return !rules::intersects(wanted, offering.requirements) || visit(type, offering);
               });
    });
}

}  // namespace

bool TerminateFirst::allows(std::string_view reason) const {
    return (reason == kDrifted && drift) || (reason == kUnhealthy && repair);
}

std::optional<std::int64_t> reservation_room(const api::NodePool& pool,
                                             const std::vector<InstanceType>& types,
                                             const model::ReservationsUsed& used) {
    std::int64_t left = 0;
    bool has_some = false;
    const bool are_reserved =
        all_of_compatible(pool, types, [&](const InstanceType& type, const Offering& one) {
            has_some = true;
            if (is_reserved(one) && one.available)
                left += std::max<std::int64_t>(0, model::reservation_left(type, one, used));
            return is_reserved(one);
        });
    return has_some && are_reserved ? std::optional(left) : std::nullopt;
}

bool gives_back_reservation(const api::NodeClaim& claim, const api::NodePool& pool,
                            const std::vector<InstanceType>& types) {
    return !all_of_compatible(pool, types, [&](const InstanceType& type, const Offering& offering) {
        return !is_reserved(offering) || !model::holds_reservation(claim, type, offering);
    });
}

}  // namespace joiner::plan
