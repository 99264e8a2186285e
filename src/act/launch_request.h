// What a claim asks of its cloud: everything that it may become and that is to be had, cheapest first. Pure.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "cloud/launch.h"
#include "rules/requirement.h"

namespace joiner::act {

// At most this many of the cheapest; what a cloud is asked for at once is less.
inline constexpr std::size_t kMostChoices = 1000;

using IsShort = std::function<bool(const rules::OfferingKey&)>;

// By price, then type, zone, capacity type and reservation; `is_short`: left out. Empty: nothing is to be
// had, or the claim's requirements cannot be read.
std::vector<cloud::LaunchChoice> launch_choices(const api::NodeClaim& claim,
                                                const std::vector<rules::InstanceType>& types,
                                                const rules::WellKnownLabels& well_known,
                                                const IsShort& is_short);

// The same, for many claims: those of one plan ask the same, and it is worked out once for them. Owned by
// whoever launches; one thread.
class LaunchChooser {
  public:
    // REQUIRES: the same types are always asked for with the same labels.
    std::vector<cloud::LaunchChoice> choices(const api::NodeClaim& claim, const cloud::InstanceTypes& types,
                                             const rules::WellKnownLabels& well_known,
                                             const IsShort& is_short);

  private:
    struct Question {
        std::weak_ptr<const std::vector<rules::InstanceType>> types;
        std::vector<api::SelectorRequirement> requirements;
        api::ResourceMap requests;
        std::vector<cloud::LaunchChoice> answer;  // Sold out or not, by price.
    };
    std::deque<Question> lately_;  // The newest first.
};

}  // namespace joiner::act
