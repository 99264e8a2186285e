// Whom the scheduler's default topology spread constraints count for a pod that has none of its own. Pure;
// loop thread, because it reads the Cluster. Source: k8s.io/kubernetes pkg/scheduler/framework/plugins/helper
// DefaultSelector.
#pragma once

#include <optional>

#include "api/meta.h"
#include "model/cluster.h"

namespace joiner::model {

// What the Services that select the pod and what made it select together; nullopt: nothing does, and no
// default applies. REQUIRES: the pod has no spread of its own.
std::optional<api::LabelSelector> default_selector(const Cluster& cluster, const PodState& pod);

}  // namespace joiner::model
