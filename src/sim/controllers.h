// The controllers of kube-controller-manager that the pretend world has, one file each. Loop thread.
#pragma once

#include "sim/world.h"

namespace joiner::sim {

ControllerPtr make_deployment_controller(World& world);
ControllerPtr make_replica_set_controller(World& world);
ControllerPtr make_stateful_set_controller(World& world);
ControllerPtr make_daemon_set_controller(World& world);
ControllerPtr make_job_controller(World& world);
// Keeps the status of PodDisruptionBudgets.
ControllerPtr make_disruption_controller(World& world);
// Deletes what an owner that is gone leaves behind, and carries out foreground and orphaning deletions.
ControllerPtr make_garbage_collector(World& world);
// Deletes pods on nodes that are no more.
ControllerPtr make_pod_garbage_collector(World& world);
// Empties namespaces that are being deleted.
ControllerPtr make_namespace_controller(World& world);
// Deletes pods that do not tolerate their node's NoExecute taints.
ControllerPtr make_taint_eviction(World& world);
// Taints nodes by their conditions. `is_silent` says whether a node's kubelet has stopped.
ControllerPtr make_node_lifecycle(World& world, std::function<bool(const std::string& node)> is_silent);
// Makes volumes for claims whose storage class provisions them, and binds both.
ControllerPtr make_volume_controller(World& world);

}  // namespace joiner::sim
