#include "control/pod_metrics.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace joiner::control {
namespace {

// Of those that wait longest; the others have no gauges of their own.
constexpr std::size_t kMostGauges = 1000;
// No plan deals with pods that use dynamic resources, and they are left out.
const observe::Labels kNoDynamicResources = {{"dynamic_resources", "false"}};

bool is_over(const model::PodState& pod) {
    return pod.is_terminal || pod.deleted.has_value();
}

}  // namespace

void PodMetrics::pod_changed(const model::PodState* before, const model::PodState* after, WallTime now) {
    if (before != nullptr && (after == nullptr || after->id.uid() != before->id.uid()))
        pods_.erase(before->id.uid());
    if (after == nullptr) return;
    if (is_over(*after)) {
        pods_.erase(after->id.uid());
        return;
    }
    auto it = pods_.find(after->id.uid());
    if (it == pods_.end()) {
        // What has a node when it is first seen tells nothing of how long that took.
        if (!after->node_name.empty() || after->is_mirror || !after->shape->problem.empty()) return;
        it = pods_.emplace(after->id.uid(), Pending{after->id, after->created, now, {}, {}, false}).first;
    }
    if (!it->second.is_bound && !after->node_name.empty()) note_bound(it->second, now);
    if (it->second.is_bound && after->is_ready) {
        note_ready(it->second, now);
        pods_.erase(it);
    }
}

void PodMetrics::note_decision(Pending& pod) {
    const observe::Decision* last =
        decisions_.last(observe::Subject::pod(pod.id), observe::Matter::kPlacement);
    if (last == nullptr || last->subject.id.uid() != pod.id.uid()) return;
    if (!pod.decided) {
        pod.decided = last->at;
        metrics_.observe("pods_scheduling_decision_duration_seconds", {}, to_seconds(last->at - pod.seen));
    }
    const bool has_node =
        last->verdict == observe::Verdict::kNewNode || last->verdict == observe::Verdict::kExistingNode;
    if (has_node && !pod.schedulable) pod.schedulable = last->at;
}

void PodMetrics::note_bound(Pending& pod, WallTime now) {
    note_decision(pod);
    pod.is_bound = true;
    metrics_.observe("pods_bound_duration_seconds", kNoDynamicResources, to_seconds(now - pod.created));
    if (pod.schedulable)
        metrics_.observe("pods_provisioning_bound_duration_seconds", kNoDynamicResources,
                         to_seconds(now - *pod.schedulable));
}

void PodMetrics::note_ready(Pending& pod, WallTime now) {
    metrics_.observe("pods_startup_duration_seconds", {}, to_seconds(now - pod.created));
    if (pod.schedulable)
        metrics_.observe("pods_provisioning_startup_duration_seconds", {},
                         to_seconds(now - *pod.schedulable));
}

void PodMetrics::tell(const Pending& pod, WallTime now) {
    const observe::Labels who = {{"namespace", pod.id.ns()}, {"name", pod.id.name()}};
    observe::Labels unbound = who;
    unbound.insert(kNoDynamicResources.begin(), kNoDynamicResources.end());
    gauges_.set("pods_unstarted_time_seconds", who, to_seconds(now - pod.created));
    if (pod.schedulable)
        gauges_.set("pods_provisioning_unstarted_time_seconds", who, to_seconds(now - *pod.schedulable));
    if (pod.is_bound) return;
    gauges_.set("pods_unbound_time_seconds", unbound, to_seconds(now - pod.created));
    if (pod.schedulable)
        gauges_.set("pods_provisioning_unbound_time_seconds", unbound, to_seconds(now - *pod.schedulable));
    if (!pod.decided)
        gauges_.set("pods_provisioning_scheduling_undecided_time_seconds", who, to_seconds(now - pod.seen));
}

void PodMetrics::look(WallTime now) {
    std::vector<const Pending*> oldest;
    oldest.reserve(pods_.size());
    for (auto& [uid, pod] : pods_) {
        if (!pod.is_bound) note_decision(pod);
        oldest.push_back(&pod);
    }
    const std::size_t count = std::min(oldest.size(), kMostGauges);
    std::partial_sort(oldest.begin(), oldest.begin() + static_cast<std::ptrdiff_t>(count), oldest.end(),
                      [](const Pending* a, const Pending* b) {
                          return std::pair(a->created, a->id.uid()) < std::pair(b->created, b->id.uid());
                      });
    oldest.resize(count);
    for (const Pending* pod : oldest) tell(*pod, now);
    gauges_.end_pass();
    metrics_.set(
        "scheduler_ignored_pods_count", {},
        static_cast<double>(std::count_if(cluster_.unbound_pods().begin(), cluster_.unbound_pods().end(),
                                          [this](const model::PodKey& key) {
                                              const model::PodState* pod = cluster_.find_pod(key);
                                              return pod != nullptr && pod->shape->avoids_node_pools;
                                          })));
}

}  // namespace joiner::control
