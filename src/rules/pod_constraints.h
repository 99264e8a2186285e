// What a pod asks of other pods: affinity, anti-affinity, topology spread, host ports. Selectors are complete
// here: namespaces and matchLabelKeys are worked in, so that nobody needs the pod any more. Immutable; any
// thread. Source: kube-scheduler's InterPodAffinity, PodTopologySpread and NodePorts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"

namespace joiner::rules {

// What others see of a pod.
struct PodLabels {
    std::string ns;
    api::StringMap labels;
};

using NamespaceLabels = std::map<std::string, api::StringMap, std::less<>>;

// Which pods a term is about.
struct PodSelector {
    std::vector<std::string> namespaces;  // Sorted.
    std::optional<api::LabelSelector> namespace_selector;
    std::optional<api::LabelSelector> labels;  // Absent selects nothing.
    std::string key;                           // Equal keys, equal selectors.

    bool selects(const PodLabels& pod, const NamespaceLabels& known) const;
};

struct PodTerm {
    PodSelector pods;
    std::string topology_key;
    int weight = 0;  // Of preferred terms.
};

struct SpreadTerm {
    PodSelector pods;
    std::string topology_key;
    int max_skew = 1;
    int min_domains = 0;  // 0: as many as there are.
    bool is_hard = true;  // DoNotSchedule.
    bool honors_affinity = true;
    bool honors_taints = false;
};

struct HostPort {
    std::string ip;  // "0.0.0.0" where the pod names none.
    int port = 0;
    std::string protocol;

    bool clashes(const HostPort& other) const;
    friend auto operator<=>(const HostPort&, const HostPort&) = default;
};

// Pods of one id stand in one domain of the key: a volume that they share is still to be made, and will be
// there.
struct TogetherTerm {
    std::string id;
    std::string topology_key;
};

struct PodConstraints {
    std::vector<PodTerm> affinity;
    std::vector<PodTerm> anti_affinity;
    std::vector<PodTerm> preferred_affinity;
    std::vector<PodTerm> preferred_anti_affinity;
    std::vector<SpreadTerm> spread;
    std::vector<HostPort> ports;  // Sorted.
    std::vector<TogetherTerm> together;
    std::string key;  // Equal keys, equal constraints; empty when there are none.

    // It matters to others where such a pod stands, whatever they ask themselves.
    bool binds_others() const { return !anti_affinity.empty() || !ports.empty() || !together.empty(); }
};

// `with_preferences`: preferred terms and ScheduleAnyway spreads are kept.
PodConstraints make_pod_constraints(const api::Pod& pod, bool with_preferences);

void add_together(PodConstraints& constraints, std::vector<TogetherTerm> terms);

// Spreads the pods that `selector` selects in the pod's namespace, as the scheduler's default constraints do.
void add_spread(PodConstraints& constraints, const std::string& ns, const api::LabelSelector& selector,
                const std::vector<api::TopologySpreadConstraint>& spread);

// Of preferred terms and ScheduleAnyway spreads (100 each) over the topology key; over any where it is empty.
std::int64_t preference_weight(const PodConstraints& constraints, std::string_view topology_key);
void drop_preferences(PodConstraints& constraints, std::string_view topology_key);

}  // namespace joiner::rules
