#include "rules/instance_type.h"

#include <tuple>

#include "api/names.h"

namespace joiner::rules {
namespace {

std::string_view single_value(const Requirements& requirements, std::string_view key) {
    const Requirement* r = requirements.find(key);
    return r != nullptr && r->is_single() ? std::string_view(r->values().front()) : std::string_view{};
}

}  // namespace

std::string_view Offering::zone() const {
    return single_value(requirements, api::kZoneLabel);
}
std::string_view Offering::capacity_type() const {
    return single_value(requirements, api::kCapacityTypeLabel);
}

Resources InstanceType::allocatable() const {
    Resources out = capacity - overhead;
    for (const auto& [resource, amount] : capacity.extended) {
        if (resource.starts_with("hugepages-")) out.memory_bytes -= amount;
    }
    out.floor_at_zero();
    return out;
}

const Offering* cheapest_offering(const InstanceType& type, const Requirements& wanted,
                                  const WellKnownLabels& well_known) {
    const auto rank = [](const Offering& o) { return std::tuple(o.cost(), o.zone(), o.capacity_type()); };
    const Offering* best = nullptr;
    for (const Offering& offering : type.offerings) {
        if (!offering.available || !compatible(wanted, offering.requirements, &well_known)) continue;
        if (best == nullptr || rank(offering) < rank(*best)) best = &offering;
    }
    return best;
}

}  // namespace joiner::rules
