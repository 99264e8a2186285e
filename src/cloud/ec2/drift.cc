#include "cloud/ec2/drift.h"

#include <algorithm>
#include <array>
#include <optional>

#include "api/names.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

// nullopt: not known.
using Finding = std::optional<bool>;

// Hashes of two versions cannot be compared, and say nothing.
Finding has_class_changed(const DriftFacts& facts) {
    const auto& of_claim = facts.claim.meta.annotations;
    const auto& of_class = facts.node_class.meta.annotations;
    const std::string_view version = api::find_or_empty(of_claim, kHashVersionAnnotation);
    const std::string_view hash = api::find_or_empty(of_claim, kHashAnnotation);
    const bool are_comparable = !version.empty() && !hash.empty() &&
                                version == api::find_or_empty(of_class, kHashVersionAnnotation) &&
                                of_class.contains(kHashAnnotation);
    return are_comparable && hash != api::find_or_empty(of_class, kHashAnnotation);
}

Finding has_image_changed(const DriftFacts& facts) {
    if (facts.claim.image_id.empty() || facts.image.empty()) return std::nullopt;
    return facts.claim.image_id != facts.image;
}

Finding have_security_groups_changed(const DriftFacts& facts) {
    if (facts.status == nullptr || facts.status->security_groups.empty()) return std::nullopt;
    // Every instance has one at least: none at all is an answer that left them out.
    if (facts.instance == nullptr || facts.instance->security_groups.empty()) return std::nullopt;
    std::vector<std::string> wanted;
    for (const StatusSecurityGroup& group : facts.status->security_groups) wanted.push_back(group.id);
    std::sort(wanted.begin(), wanted.end());
    return wanted != facts.instance->security_groups;
}

Finding is_subnet_gone(const DriftFacts& facts) {
    if (facts.status == nullptr || facts.status->subnets.empty()) return std::nullopt;
    if (facts.instance == nullptr || facts.instance->subnet.empty()) return std::nullopt;
    const std::vector<StatusSubnet>& subnets = facts.status->subnets;
    return std::none_of(subnets.begin(), subnets.end(),
                        [&](const StatusSubnet& each) { return each.id == facts.instance->subnet; });
}

// An instance that EC2 has taken out of its reservation is on demand, and no drift.
Finding is_reservation_gone(const DriftFacts& facts) {
    if (api::find_or_empty(facts.claim.meta.labels, api::kCapacityTypeLabel) != api::kReserved) return false;
    if (facts.status == nullptr || facts.instance == nullptr) return std::nullopt;
    if (facts.instance->reservation.empty()) return false;
    const std::vector<StatusReservation>& all = facts.status->reservations;
    return std::none_of(all.begin(), all.end(), [&](const StatusReservation& each) {
        return each.id == facts.instance->reservation;
    });
}

Finding has_placement_group_changed(const DriftFacts& facts) {
    if (!facts.placement_group) return std::nullopt;
    return api::find_or_empty(facts.claim.meta.labels, kPlacementGroupLabel) != *facts.placement_group;
}

struct Check {
    std::string_view reason;
    Finding (*look)(const DriftFacts&);
};
constexpr std::array kChecks = {
    Check{"NodeClassDrift", &has_class_changed},
    Check{"AMIDrift", &has_image_changed},
    Check{"SecurityGroupDrift", &have_security_groups_changed},
    Check{"SubnetDrift", &is_subnet_gone},
    Check{kReservationDrift, &is_reservation_gone},
    Check{"PlacementGroupDrift", &has_placement_group_changed},
};

}  // namespace

DriftAnswer drift_of(const DriftFacts& facts) {
    DriftAnswer out;
    for (const Check& check : kChecks) {
        const Finding found = check.look(facts);
        if (found == true) return {DriftAnswer::Kind::kDrifted, std::string(check.reason)};
        if (!found) out.kind = DriftAnswer::Kind::kNotKnown;
    }
    return out;
}

}  // namespace joiner::cloud::ec2
