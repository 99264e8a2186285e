// Nodes that have registered and are not initialised: how long they are relied on, when they are given up,
// and what they lack, in words that say what to mend. Pure. Ours; Karpenter waits for such nodes for good.
#pragma once

#include <string>
#include <string_view>

#include "api/karpenter.h"
#include "base/time.h"
#include "model/cluster.h"

namespace joiner::plan {

// Most nodes are up within a minute. What takes longer than this is said.
inline constexpr Duration kSlowInitialization = std::chrono::minutes{5};
// From then on nobody relies on the node: pods that waited for it get another.
inline constexpr Duration kInitializationPatience = std::chrono::minutes{15};
// And then it goes, unless pods run on it. Until then it may still come up, beside the one other that was
// bought.
inline constexpr Duration kInitializationTimeout = std::chrono::minutes{30};

// Since the claim registered or was rebooted, or was made where it has not, it has waited for so long and is
// not initialised.
bool is_late(const api::NodeClaim& claim, Duration patience, WallTime now);

// A pod that would be missed is Ready there.
bool is_in_use(const model::NodeState& node);

// One sentence; empty where nothing is missing but what we do ourselves.
std::string missing_for_initialization(const api::NodeClaim& claim, const api::Node& node);

// Why a claim that was deleted for `reason` ("registration_timeout" and so on) has come to nothing, in one
// sentence. `node`: nullptr where it never came.
std::string why_given_up(const api::NodeClaim& claim, const api::Node* node, std::string_view reason);

}  // namespace joiner::plan
