#include "model/snapshot.h"

#include <algorithm>

namespace joiner::model {

VolumeLimits volume_limits_of_type(const Snapshot& snapshot, const rules::InstanceType& type) {
    const auto seen = snapshot.volume_limits.find(type.name);
    VolumeLimits out = seen == snapshot.volume_limits.end() ? VolumeLimits{} : seen->second;
    for (const auto& [driver, limit] : type.volume_limits) {
        const bool is_seen =
            std::any_of(out.begin(), out.end(), [&](const auto& known) { return known.first == driver; });
        if (!is_seen) out.emplace_back(driver, limit);
    }
    return out;
}

}  // namespace joiner::model
