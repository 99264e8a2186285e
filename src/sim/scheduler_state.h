// What the pretend scheduler knows of nodes and the pods on them, and which nodes a pod may go to. Loop
// thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"
#include "rules/resources.h"
#include "sim/verbs.h"

namespace joiner::sim {

struct SchedulerPod {
    std::string key;  // "namespace/name"
    ObjectPtr object;
    api::Pod pod;
    rules::Resources request;
    // Pods with the same text fail for the same reasons.
    std::string shape;

    bool has_pod_terms() const {
        return !pod.spec.required_pod_affinity.empty() || !pod.spec.required_pod_anti_affinity.empty() ||
               !pod.spec.topology_spread.empty();
    }
};
using SchedulerPodPtr = std::shared_ptr<const SchedulerPod>;
// Nullptr for a pod that cannot be read.
SchedulerPodPtr make_scheduler_pod(const ObjectPtr& object);

struct SchedulerNode {
    ObjectPtr object;
    api::Node node;
    rules::Resources allocatable;
    rules::Resources used;
    std::map<std::string, SchedulerPodPtr> pods;
};

class SchedulerState {
  public:
    explicit SchedulerState(Verbs& verbs) : verbs_(verbs) {}

    // Returns whether the change may help a pod that found no place.
    bool set_node(const ObjectPtr& object);
    void remove_node(const std::string& name);
    void place(const SchedulerPodPtr& pod, const std::string& node);
    // True when the pod was placed.
    bool remove_pod(const std::string& key);
    // The pod is to go to the node as soon as others have made way: no pod that is less urgent gets its room.
    void nominate(const SchedulerPodPtr& pod, const std::string& node);
    void forget_nomination(const std::string& key) { nominated_.erase(key); }
    // The node that it is nominated for; nullptr: none.
    const std::string* nominated_node(const std::string& key) const;

    std::size_t node_count() const { return nodes_.size(); }
    const std::map<std::string, SchedulerNode>& nodes() const { return nodes_; }

    struct Choice {
        std::string node;                         // Empty: none.
        std::map<std::string, int> reasons;       // Of the nodes that it cannot be, how many each.
        std::string problem;                      // With the pod itself; then no node was looked at.
        std::vector<std::string> claims_to_bind;  // Names of claims that wait for this choice.
    };
    Choice choose(const SchedulerPod& pod) const;
    // Whether the pod could be on the node as it is now.
    bool may_be_on(const SchedulerPod& pod, const std::string& node) const;

  private:
    struct VolumeNeeds {
        std::vector<std::vector<api::NodeSelectorTerm>>
            terms;  // One of each must match; an empty one matches all.
        std::vector<std::string> unbound;
        std::string problem;
    };
    struct PodTerms;

    VolumeNeeds volume_needs(const SchedulerPod& pod) const;
    PodTerms pod_terms(const SchedulerPod& pod) const;
    std::vector<std::string> reasons_against(const SchedulerPod& pod, const SchedulerNode& node,
                                             const VolumeNeeds& volumes, const PodTerms& terms) const;
    api::StringMap namespace_labels(const std::string& ns) const;
    // What pods that are nominated for the node and at least as urgent will take there.
    rules::Resources spoken_for(const SchedulerPod& pod, const std::string& node) const;

    Verbs& verbs_;
    std::map<std::string, SchedulerNode> nodes_;
    std::map<std::string, std::pair<SchedulerPodPtr, std::string>> placed_;  // By key: the pod and its node.
    std::map<std::string, std::pair<SchedulerPodPtr, std::string>> nominated_;
    std::size_t pods_with_anti_affinity_ = 0;
};

}  // namespace joiner::sim
