#include "act/launch_request.h"

#include <algorithm>
#include <tuple>

namespace joiner::act {

std::vector<cloud::LaunchChoice> launch_choices(
    const api::NodeClaim& claim, const std::vector<rules::InstanceType>& types,
    const rules::WellKnownLabels& well_known,
    const std::function<bool(const rules::OfferingKey&)>& is_short) {
    const auto wanted = rules::make_requirements(claim.requirements);
    if (!wanted) return {};
    const rules::Resources requests = rules::as_request(claim.requests);
    std::vector<cloud::LaunchChoice> out;
    for (const rules::InstanceType& type : types) {
        if (!rules::intersects(*wanted, type.requirements) || !rules::fits(requests, type.allocatable()))
            continue;
        for (const rules::Offering& offering : type.offerings) {
            if (offering.available && rules::compatible(*wanted, offering.requirements, &well_known) &&
                !is_short(rules::key_of(type, offering)))
                out.push_back({&type, &offering});
        }
    }
    const auto rank = [](const cloud::LaunchChoice& choice) {
        return std::tuple<rules::Money, std::string_view, std::string_view, std::string_view,
                          std::string_view>(choice.offering->price, choice.type->name,
                                            choice.offering->zone(), choice.offering->capacity_type(),
                                            choice.offering->reservation_id);
    };
    std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
    if (out.size() > kMostChoices) out.resize(kMostChoices);
    return out;
}

}  // namespace joiner::act
