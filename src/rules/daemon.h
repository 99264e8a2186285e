// Where pods of a DaemonSet will stand. Pure; any thread. Source: the DaemonSet controller's predicate, which
// is the node affinity of its pods and the taints that they do not tolerate.
#pragma once

#include <vector>

#include "rules/pod_shape.h"

namespace joiner::rules {

// `node`: the labels that the node has, or will have. `undefined`: keys that may still come to be defined;
// nullptr where all are known.
bool daemon_lands(const PodShape& daemon, const Requirements& node, const std::vector<api::Taint>& taints,
                  const WellKnownLabels* undefined);

}  // namespace joiner::rules
