// Taints and tolerations. Pure; any thread. Source: Kubernetes' taint and toleration rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"

namespace joiner::rules {

bool tolerates(const api::Toleration& toleration, const api::Taint& taint);

// Why the API server would refuse the toleration's operator or what it compares with; empty where it would
// not. Such a toleration tolerates nothing.
std::string toleration_problem(const api::Toleration& toleration);

// The first taint that keeps the pod off the node, or nullptr. PreferNoSchedule keeps nobody off by itself.
const api::Taint* untolerated_taint(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints);

// Same key and effect: the same taint, whatever its value.
bool same_taint(const api::Taint& a, const api::Taint& b);
bool has_taint(const std::vector<api::Taint>& taints, std::string_view key, std::string_view effect);

// Those that keep pods off the claim's node and that nobody has promised: not the claim's own, not a node's
// on its way up, not a user's or ours who close it.
std::vector<api::Taint> undeclared_taints(const std::vector<api::Taint>& taints, const api::NodeClaim& claim);

// A taint that a node carries only until it is up, and that a plan may look past on a node not yet
// initialised.
bool is_ephemeral_taint(const api::Taint& taint);

}  // namespace joiner::rules
