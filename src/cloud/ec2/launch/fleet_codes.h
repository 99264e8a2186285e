// What the errors in an answer to CreateFleet mean. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cloud/ec2/calls/fleet.h"

namespace joiner::cloud::ec2 {

enum class FleetFault {
    kCapacity,      // None of this kind is to be had.
    kSubnetFull,    // No address is free in the subnet: none to be had there.
    kSpreadFull,    // The spread placement group takes nothing more in that zone.
    kSpotRole,      // Spot is not to be had at all, for want of a role in the account.
    kTemplateGone,  // The launch template is no longer there: make it again.
    kOther,
};
FleetFault fault_of(std::string_view code);
// Some say what they are in the message alone.
FleetFault fault_of(const FleetError& error);

// Why a fleet without instances has none: kExhausted where each of its errors is one of capacity; otherwise
// the gravest, and its reason as Karpenter names it in the message.
Error error_of_fleet(const std::vector<FleetError>& errors);

}  // namespace joiner::cloud::ec2
