// Whether an instance is what its EC2NodeClass would make of its claim today. Pure; any thread.
#pragma once

#include <optional>
#include <string_view>

#include "api/karpenter.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/known_instances.h"
#include "cloud/provider.h"

namespace joiner::cloud::ec2 {

// Holds only where it is seen in a fresh answer of EC2's: a moment ago the instance may have left it.
inline constexpr std::string_view kReservationDrift = "CapacityReservationDrift";

struct DriftFacts {
    const api::NodeClaim& claim;
    const api::NodeClass& node_class;
    const ClassStatus* status = nullptr;      // nullptr: what the class has found is not known.
    std::string_view image = {};              // That a new node of its type gets; empty: not known.
    const InstanceFacts* instance = nullptr;  // nullptr: not known.
    // Id of the one that the class selects; empty: none; nullopt: not known.
    std::optional<std::string_view> placement_group = {};
};

// The first of the reasons that is known to hold, in Karpenter's order. kNotKnown where none is, and not all
// could be looked at.
DriftAnswer drift_of(const DriftFacts& facts);

}  // namespace joiner::cloud::ec2
