#include "plan/lifecycle/lost_reservation.h"

#include "api/names.h"

namespace joiner::plan {

LabelChanges lost_reservation(const api::StringMap& labels, const api::StringMap& instance,
                              const std::vector<std::string>& absent) {
    LabelChanges out;
    if (api::find_or_empty(labels, api::kCapacityTypeLabel) != api::kReserved ||
        api::find_or_empty(instance, api::kCapacityTypeLabel) != api::kOnDemand)
        return out;
    out[std::string(api::kCapacityTypeLabel)] = std::string(api::kOnDemand);
    for (const std::string& label : absent) {
        if (labels.contains(label)) out[label] = std::nullopt;
    }
    return out;
}

}  // namespace joiner::plan
