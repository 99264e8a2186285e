// What scheduling sees of a pod, worked out once and shared by all pods that are alike. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/core.h"
#include "base/result.h"
#include "rules/pod_constraints.h"
#include "rules/requirement.h"
#include "rules/resources.h"

namespace joiner::rules {

enum class PreferencePolicy { kRespect, kIgnore };

struct PodShape {
    Resources requests;
    // Any one of these node requirement sets will do; at least one.
    std::vector<Requirements> required;
    // The same without what its volumes add: spread looks at no more. Empty where nothing was added.
    std::vector<Requirements> before_volumes;
    // The same with the pod's preferences made hard, best first; tried before `required` on new nodes.
    std::vector<Requirements> preferred;
    int preferred_weight = 0;  // Of all those preferences.
    std::vector<api::Toleration> tolerations;
    // What it asks of other pods.
    PodConstraints constraints;
    // Volumes by CSI driver, which a node may have too many of: those of this pod alone.
    std::vector<std::pair<std::string, int>> volumes;
    // Those that other pods use too, as driver and id; each counts once a node. Sorted.
    std::vector<std::pair<std::string, std::string>> shared_volumes;
    std::int32_t priority = 0;
    // Why no plan can place it, in one sentence; empty for a pod that can be planned. Set for specs that are
    // wrong and for constraints the planner does not know: such a pod is never placed as if it had none.
    std::string problem;
    // Every term asks for nodes outside all NodePools (our own pods do); the pod is passed over in silence.
    bool avoids_node_pools = false;

    // Equal keys, equal shapes.
    std::string key;
    // The part of `key` that is about the machine alone: pods that may stand on the same machines.
    std::string constraint_key;
};

PodShape make_pod_shape(const api::Pod& pod, PreferencePolicy policy);

// What a pod's volumes ask of its node.
struct PodVolumes {
    std::vector<Requirements> places;                         // Any of them will do; empty: anywhere.
    std::vector<std::pair<std::string, int>> by_driver;       // How many of its own, by CSI driver.
    std::vector<std::pair<std::string, std::string>> shared;  // With other pods: driver and id; sorted.
    std::vector<TogetherTerm> together;
    std::string problem;  // Why the pod must wait; empty when it need not.
};

// The same pod where its volumes must be reachable too; what conflicts with their places is left out.
PodShape with_volumes(PodShape shape, PodVolumes volumes);

// The same pod spread by the scheduler's default constraints.
PodShape with_spread(PodShape shape, const std::string& ns, const api::LabelSelector& selector,
                     const std::vector<api::TopologySpreadConstraint>& spread);

// Preferences that cost differently: what pods ask of the node beside them sets how many nodes there are.
enum class Preferences { kNone, kAmongPodsOfANode, kAll };
// The same pod without them.
PodShape without(Preferences which, PodShape shape);
// What they weigh together; a ScheduleAnyway spread counts as 100.
std::int64_t weight_of(Preferences which, const PodShape& shape);

}  // namespace joiner::rules
