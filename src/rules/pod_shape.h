// What scheduling sees of a pod, worked out once and shared by all pods that are alike. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/core.h"
#include "base/result.h"
#include "rules/requirement.h"
#include "rules/resources.h"

namespace joiner::rules {

enum class PreferencePolicy { kRespect, kIgnore };

struct PodShape {
    Resources requests;
    // Any one of these node requirement sets will do; at least one.
    std::vector<Requirements> required;
    // The same with the pod's preferences made hard, best first; tried before `required` on new nodes.
    std::vector<Requirements> preferred;
    std::vector<api::Toleration> tolerations;
    std::int32_t priority = 0;
    // Why no plan can place it, in one sentence; empty for a pod that can be planned. Set for specs that are
    // wrong and for constraints the planner does not know yet: such a pod is never placed as if it had none.
    std::string problem;
    // The pod asks for nodes outside every NodePool (our own pods do); it is passed over in silence.
    bool avoids_node_pools = false;

    // Equal keys, equal shapes.
    std::string key;
    // The part of `key` that leaves the requests out: pods that may stand on the same machines.
    std::string constraint_key;
};

PodShape make_pod_shape(const api::PodSpec& spec, const api::PodStatus& status, PreferencePolicy policy);

}  // namespace joiner::rules
