// The settings of the pretend world, one struct a part, with defaults that suit tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/time.h"

namespace joiner::sim {

struct ApiServerOptions {
    std::uint64_t seed = 1;       // Of uids and generated names.
    std::size_t history = 4'096;  // Events of each kind kept for watches to start from.
    Duration bookmark_interval = std::chrono::seconds{60};
    Duration watch_limit = std::chrono::minutes{45};  // Of watches that name no timeoutSeconds.
};

struct SchedulerOptions {
    std::string name = "default-scheduler";
    double qps = 5'000;  // Of bindings and conditions together; the real default is 50.
    int burst = 100;
    Duration first_backoff = std::chrono::seconds{1};
    Duration max_backoff = std::chrono::seconds{10};
    Duration pods_late_by{0};  // How far its watch of pods is behind its watch of nodes.
};

struct KubeletOptions {
    // Nodes with annotation kwok.x-k8s.io/node=fake are played, and with this all others too.
    bool plays_all_nodes = false;
    Duration node_ready_delay = std::chrono::milliseconds{500};
    Duration pod_start_delay = std::chrono::milliseconds{500};
    Duration pod_stop_delay = std::chrono::milliseconds{200};
    Duration job_duration = std::chrono::seconds{1};
    // Refuses pods beyond what the node has left (OutOfcpu) or that its NoExecute taints keep off.
    bool refuses_surplus = true;
};

struct WorldOptions {
    double pods_created_per_second = 1'000;  // As controller-manager's client limit bounds it.
    bool records_events = true;
    Duration garbage_interval = std::chrono::seconds{20};  // Of pods on nodes that are gone.
    Duration missing_node_grace = std::chrono::seconds{40};
    Duration nodes_seen_late_by{0};   // How far controller-manager's watch of nodes is behind that of pods.
    Duration pods_missed_late_by{0};  // How long it takes to see that a pod of a ReplicaSet is going.
    Duration node_silence = std::chrono::seconds{40};  // Until a node that says nothing counts as lost.
};

}  // namespace joiner::sim
