// What a claim asks of its cloud: everything that it may become and that is to be had, cheapest first. Pure.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "cloud/launch.h"
#include "cloud/offers.h"
#include "rules/requirement.h"

namespace joiner::act {

// At most this many of the cheapest; what a cloud is asked for at once is less.
inline constexpr std::size_t kMostChoices = 1000;
// Of those that may be back, so many at most stand before the first that is there. The others are left out:
// one that is there will do, and where it is not, the next request is another.
inline constexpr int kMostMaybe = 3;
// And only those that cost less than the first that is there by this part: the others are not worth asking in
// vain.
inline constexpr double kLeastSaved = 0.02;

using StockOf = std::function<cloud::Stock(const rules::OfferingKey&)>;

struct ToBeHad {
    std::vector<cloud::LaunchChoice> choices;
    // Some that may be back are left out: others try them, or something else will do. Without any choices:
    // they are worth waiting for.
    bool leaves_some_out = false;
};

// By price, then type, zone, capacity type and reservation, without what is out. Empty: nothing is to be had
// now, or the claim's requirements cannot be read.
std::vector<cloud::LaunchChoice> launch_choices(const api::NodeClaim& claim,
                                                const std::vector<rules::InstanceType>& types,
                                                const rules::WellKnownLabels& well_known,
                                                const StockOf& stock);

// The same, for many claims: those of one plan ask the same, and it is worked out once for them. Owned by
// whoever launches; one thread.
class LaunchChooser {
  public:
    // REQUIRES: the same types are always asked for with the same labels.
    ToBeHad choices(const api::NodeClaim& claim, const cloud::InstanceTypes& types,
                    const rules::WellKnownLabels& well_known, const StockOf& stock);

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
