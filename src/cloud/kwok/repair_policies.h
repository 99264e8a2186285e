// When a pretend node counts as sick: the policies of Karpenter's KWOK provider, two of them for conditions
// that people put on a node to see a repair happen.
#pragma once

#include <vector>

#include "rules/repair_policy.h"

namespace joiner::cloud::kwok {

std::vector<rules::RepairPolicy> kwok_repair_policies();

}  // namespace joiner::cloud::kwok
