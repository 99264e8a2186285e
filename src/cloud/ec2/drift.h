// Whether an instance is what its EC2NodeClass would make of its claim today. Pure; any thread.
#pragma once

#include <string_view>

#include "api/karpenter.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/known_instances.h"
#include "cloud/provider.h"

namespace joiner::cloud::ec2 {

struct DriftFacts {
    const api::NodeClaim& claim;
    const api::NodeClass& node_class;
    const ClassStatus* status = nullptr;      // nullptr: what the class has found is not known.
    std::string_view image = {};              // That a new node of its type gets; empty: not known.
    const InstanceFacts* instance = nullptr;  // nullptr: not known.
};

// The first of the reasons that is known to hold, in Karpenter's order. kNotKnown where none is, and not all
// could be looked at.
DriftAnswer drift_of(const DriftFacts& facts);

}  // namespace joiner::cloud::ec2
