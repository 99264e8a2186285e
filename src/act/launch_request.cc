#include "act/launch_request.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace joiner::act {
namespace {

constexpr std::size_t kMostQuestions = 8;

// Sold out or not, by what they cost with their interruptions.
std::vector<cloud::LaunchChoice> all_choices(const api::NodeClaim& claim,
                                             const std::vector<rules::InstanceType>& types,
                                             const rules::WellKnownLabels& well_known) {
    const auto wanted = rules::make_requirements(claim.requirements);
    if (!wanted) return {};
    const rules::Resources requests = rules::as_request(claim.requests);
    struct Ranked {
        cloud::LaunchChoice choice;
        std::tuple<rules::Money, std::string_view, std::string_view, std::string_view, std::string_view> rank;
    };
    std::vector<Ranked> ranked;
    for (const rules::InstanceType& type : types) {
        if (!rules::intersects(*wanted, type.requirements) || !rules::fits(requests, type.allocatable()))
            continue;
        for (const rules::Offering& offering : type.offerings) {
            if (!offering.available || !rules::compatible(*wanted, offering.requirements, &well_known))
                continue;
            ranked.push_back({{&type, &offering},
                              {offering.cost(), type.name, offering.zone(), offering.capacity_type(),
                               offering.reservation_id}});
        }
    }
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
    std::vector<cloud::LaunchChoice> out;
    out.reserve(ranked.size());
    for (const Ranked& each : ranked) out.push_back(each.choice);
    return out;
}

ToBeHad cheapest_to_be_had(const std::vector<cloud::LaunchChoice>& all, const StockOf& stock) {
    ToBeHad out;
    out.choices.reserve(std::min(all.size(), kMostChoices));
    const auto there = std::find_if(all.begin(), all.end(), [&](const cloud::LaunchChoice& choice) {
        return stock(choice.key()) == cloud::Stock::kThere;
    });
    const double worth_a_try = there == all.end()
                                   ? std::numeric_limits<double>::infinity()
                                   : (1 - kLeastSaved) * static_cast<double>(there->offering->price.nanos);
    bool one_is_there = false;
    int maybe = 0;
    for (const cloud::LaunchChoice& choice : all) {
        if (out.choices.size() == kMostChoices) break;
        const cloud::Stock its = stock(choice.key());
        const bool may_be_tried = its == cloud::Stock::kMaybe && !one_is_there && maybe < kMostMaybe &&
                                  static_cast<double>(choice.offering->price.nanos) <= worth_a_try;
        one_is_there = one_is_there || its == cloud::Stock::kThere;
        if (its == cloud::Stock::kTried || (its == cloud::Stock::kMaybe && !may_be_tried))
            out.leaves_some_out = true;
        if (may_be_tried) ++maybe;
        if (may_be_tried || its == cloud::Stock::kThere) out.choices.push_back(choice);
    }
    return out;
}

}  // namespace

std::vector<cloud::LaunchChoice> launch_choices(const api::NodeClaim& claim,
                                                const std::vector<rules::InstanceType>& types,
                                                const rules::WellKnownLabels& well_known,
                                                const StockOf& stock) {
    return cheapest_to_be_had(all_choices(claim, types, well_known), stock).choices;
}

ToBeHad LaunchChooser::choices(const api::NodeClaim& claim, const cloud::InstanceTypes& types,
                               const rules::WellKnownLabels& well_known, const StockOf& stock) {
    const auto known = std::find_if(lately_.begin(), lately_.end(), [&](const Question& question) {
        return question.types.lock() == types && question.requirements == claim.requirements &&
               question.requests == claim.requests;
    });
    const bool is_known = known != lately_.end();
    if (!is_known) {
        std::erase_if(lately_, [](const Question& question) { return question.types.expired(); });
        if (lately_.size() == kMostQuestions) lately_.pop_back();
        lately_.push_front(
            {types, claim.requirements, claim.requests, all_choices(claim, *types, well_known)});
    }
    return cheapest_to_be_had(is_known ? known->answer : lately_.front().answer, stock);
}

}  // namespace joiner::act
