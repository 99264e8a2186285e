#include "rules/offering_key.h"

#include <fmt/format.h>

namespace joiner::rules {

OfferingKey key_of(const InstanceType& type, const Offering& offering) {
    return {type.name, std::string(offering.zone()), std::string(offering.capacity_type()),
            offering.reservation_id};
}

std::string to_string(const OfferingKey& key) {
    std::string out = fmt::format("{} in {}, {}", key.type, key.zone, key.capacity_type);
    if (!key.reservation.empty()) out += " " + key.reservation;
    return out;
}

}  // namespace joiner::rules
