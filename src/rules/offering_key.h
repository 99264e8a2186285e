// The name of an offering, by which launches, stock-outs and events from a cloud speak of it. Value type; any
// thread.
#pragma once

#include <compare>
#include <string>

#include "rules/instance_type.h"

namespace joiner::rules {

struct OfferingKey {
    std::string type;
    std::string zone;
    std::string capacity_type;
    std::string reservation;  // Its id; empty: none.

    friend auto operator<=>(const OfferingKey&, const OfferingKey&) = default;
};

OfferingKey key_of(const InstanceType& type, const Offering& offering);
// "m5.large in us-east-1a, spot".
std::string to_string(const OfferingKey& key);

}  // namespace joiner::rules
