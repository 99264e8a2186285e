#include "act/launch_request.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace joiner::act {
namespace {

constexpr std::size_t kMostQuestions = 8;

// Sold out or not, by price.
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
                              {offering.price, type.name, offering.zone(), offering.capacity_type(),
                               offering.reservation_id}});
        }
    }
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) { return a.rank < b.rank; });
    std::vector<cloud::LaunchChoice> out;
    out.reserve(ranked.size());
    for (const Ranked& each : ranked) out.push_back(each.choice);
    return out;
}

std::vector<cloud::LaunchChoice> cheapest_to_be_had(const std::vector<cloud::LaunchChoice>& all,
                                                    const IsShort& is_short) {
    std::vector<cloud::LaunchChoice> out;
    out.reserve(std::min(all.size(), kMostChoices));
    for (const cloud::LaunchChoice& choice : all) {
        if (out.size() == kMostChoices) break;
        if (!is_short(choice.key())) out.push_back(choice);
    }
    return out;
}

}  // namespace

std::vector<cloud::LaunchChoice> launch_choices(const api::NodeClaim& claim,
                                                const std::vector<rules::InstanceType>& types,
                                                const rules::WellKnownLabels& well_known,
                                                const IsShort& is_short) {
    return cheapest_to_be_had(all_choices(claim, types, well_known), is_short);
}

std::vector<cloud::LaunchChoice> LaunchChooser::choices(const api::NodeClaim& claim,
                                                        const cloud::InstanceTypes& types,
                                                        const rules::WellKnownLabels& well_known,
                                                        const IsShort& is_short) {
    const auto known = std::find_if(lately_.begin(), lately_.end(), [&](const Question& question) {
        return question.types.lock() == types && question.requirements == claim.requirements &&
               question.requests == claim.requests;
    });
    if (known != lately_.end()) return cheapest_to_be_had(known->answer, is_short);
    std::erase_if(lately_, [](const Question& question) { return question.types.expired(); });
    if (lately_.size() == kMostQuestions) lately_.pop_back();
    lately_.push_front({types, claim.requirements, claim.requests, all_choices(claim, *types, well_known)});
    return cheapest_to_be_had(lately_.front().answer, is_short);
}

}  // namespace joiner::act
