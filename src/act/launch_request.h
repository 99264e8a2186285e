// What a claim asks of its cloud: everything that it may become and that is to be had, cheapest first. Pure.
#pragma once

#include <functional>
#include <vector>

#include "cloud/launch.h"
#include "rules/requirement.h"

namespace joiner::act {

// At most this many of the cheapest; what a cloud is asked for at once is less.
inline constexpr std::size_t kMostChoices = 1000;

// By price, then type, zone, capacity type and reservation; `is_short`: left out. Empty: nothing is to be
// had, or the claim's requirements cannot be read.
std::vector<cloud::LaunchChoice> launch_choices(
    const api::NodeClaim& claim, const std::vector<rules::InstanceType>& types,
    const rules::WellKnownLabels& well_known, const std::function<bool(const rules::OfferingKey&)>& is_short);

}  // namespace joiner::act
