// What becomes of the labels of a claim, and of its node, whose instance the cloud has taken out of its
// capacity reservation: the machine runs on, for the price on demand. Pure. Source: Karpenter's AWS provider,
// controller nodeclaim.capacityreservation; nothing is ever made reserved afterwards.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace joiner::plan {

// nullopt: the label goes.
using LabelChanges = std::map<std::string, std::optional<std::string>>;

// `labels`: of the claim or of the node. `instance`: the labels that the cloud would give the instance now;
// `absent`: those that it must not have. Empty: nothing was lost.
LabelChanges lost_reservation(const api::StringMap& labels, const api::StringMap& instance,
                              const std::vector<std::string>& absent);

}  // namespace joiner::plan
