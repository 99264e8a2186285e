// What a CapacityBuffer comes down to: which pod it keeps room for, and for how many of them. Pure; loop
// thread, because it reads the Cluster.
#pragma once

#include <cstdint>
#include <string>

#include "model/cluster.h"

namespace joiner::model {

struct Headroom {
    const TemplateState* source = nullptr;  // Lives as long as the Cluster is not changed.
    std::int32_t replicas = 0;
    // Why there is no source: a reason of the condition ReadyForProvisioning, and one sentence.
    std::string reason;
    std::string problem;
};

Headroom headroom_of(const Cluster& cluster, const api::CapacityBuffer& buffer);

}  // namespace joiner::model
