// The nodes and pods that tests of disruption begin with, and then vary.
#pragma once

#include <string>

#include "api/core.h"
#include "api/karpenter.h"
#include "api/names.h"
#include "base/time.h"

namespace joiner::plan::samples {

struct UpNode {
    api::NodeClaim claim;
    api::Node node;
};

// Of the pool "default", on demand, of type "small" in zone "a"; initialised and Ready since then.
inline UpNode up_node(const std::string& claim, const std::string& node, WallTime since) {
    UpNode out;
    out.claim.meta.name = out.claim.meta.uid = claim;
    out.claim.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
    out.claim.provider_id = "p://" + node;
    out.claim.conditions = {{"Initialized", "True", "", "", since, 0}};
    out.node.meta.name = node;
    out.node.provider_id = out.claim.provider_id;
    out.node.meta.labels = {{std::string(api::kInstanceTypeLabel), "small"},
                            {std::string(api::kZoneLabel), "a"},
                            {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}};
    out.node.conditions = {{"Ready", "True", "", "", since, 0}};
    return out;
}

// "ns/<name>", which runs there.
inline api::Pod pod_on(const std::string& node, const std::string& name) {
    api::Pod out;
    out.meta.name = out.meta.uid = name;
    out.meta.ns = "ns";
    out.spec.node_name = node;
    out.status.phase = "Running";
    return out;
}

}  // namespace joiner::plan::samples
