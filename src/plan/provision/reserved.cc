#include "plan/provision/reserved.h"

#include <algorithm>
#include <memory>
#include <vector>

namespace joiner::plan {

bool may_be_kept_out_by_reservations(const model::Snapshot& snapshot, const Plan& plan) {
    return !plan.waits.empty() &&
           std::any_of(snapshot.pools.begin(), snapshot.pools.end(), [](const model::PoolView& pool) {
               return !pool.is_reservation && !pool.remaining_without_reservations.empty() &&
                      pool.remaining != pool.remaining_without_reservations;
           });
}

model::Snapshot without_reservations(const model::Snapshot& snapshot) {
    model::Snapshot out = snapshot;
    const auto none = std::make_shared<const std::vector<rules::InstanceType>>();
    for (model::PoolView& pool : out.pools) {
        if (pool.is_reservation) {
            pool.types = none;
        } else if (!pool.remaining_without_reservations.empty()) {
            pool.remaining = pool.remaining_without_reservations;
        }
    }
    return out;
}

}  // namespace joiner::plan
