// Taints and tolerations. Pure; any thread. Source: Kubernetes' taint and toleration rules.
#pragma once

#include <string_view>
#include <vector>

#include "api/core.h"

namespace joiner::rules {

bool tolerates(const api::Toleration& toleration, const api::Taint& taint);

// The first taint that keeps the pod off the node, or nullptr. PreferNoSchedule keeps nobody off by itself.
const api::Taint* untolerated_taint(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints);

// Same key and effect: the same taint, whatever its value.
bool same_taint(const api::Taint& a, const api::Taint& b);
bool has_taint(const std::vector<api::Taint>& taints, std::string_view key, std::string_view effect);

// A taint that a node carries only until it is up, and that a plan may look past on a node not yet
// initialised.
bool is_ephemeral_taint(const api::Taint& taint);

}  // namespace joiner::rules
