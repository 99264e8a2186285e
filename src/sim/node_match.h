// Whether a node is one that a pod may be on: the checks that scheduler, DaemonSet controller and kubelet
// share. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "api/core.h"

namespace joiner::sim {

// nodeSelector and required node affinity, matchFields included.
bool selects_node(const api::PodSpec& spec, const api::Node& node);
bool matches_term(const api::NodeSelectorTerm& term, const api::Node& node);
bool tolerates_taint(const std::vector<api::Toleration>& tolerations, const api::Taint& taint);
// The first taint of these effects that the pod does not tolerate, or nullptr.
const api::Taint* first_untolerated(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints, bool only_no_execute);

}  // namespace joiner::sim
