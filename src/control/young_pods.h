// Pods that come first: disruption for a saving waits while some pod is so young that the scheduler may just
// be about to bind it. Loop thread.
#pragma once

#include <algorithm>

#include "model/make_snapshot.h"

namespace joiner::control {

inline bool some_pod_is_young(const model::Cluster& cluster, WallTime now) {
    constexpr Duration kPodPatience = std::chrono::seconds{30};
    const auto& unbound = cluster.unbound_pods();
    return std::any_of(unbound.begin(), unbound.end(), [&](const model::PodKey& key) {
        const model::PodState& pod = *cluster.find_pod(key);
        return model::wants_room(cluster, pod) && now - pod.created < kPodPatience;
    });
}

}  // namespace joiner::control
