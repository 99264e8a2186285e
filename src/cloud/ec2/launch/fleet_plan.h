// Which fleet a launch asks for next: of the choices that are left, those of the cheapest one's capacity
// type, each with the launch template that its machines need. Reservations of one kind go together, of each
// type and zone the one with the most room; a capacity block goes alone. Pure; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/calls/fleet.h"
#include "cloud/ec2/calls/launch_template.h"
#include "cloud/ec2/calls/network.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/node_class.h"
#include "cloud/ec2/reservations/reservation_book.h"
#include "cloud/ec2/reservations/reservation_rules.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/region_types.h"
#include "cloud/launch.h"

namespace joiner::cloud::ec2 {

// EC2 takes no more of them in one fleet.
inline constexpr std::size_t kMostTypes = 60;
inline constexpr std::size_t kMostOverrides = 300;
inline constexpr std::size_t kMostTemplates = 50;

struct FleetPart {
    LaunchTemplateRequest launch_template;
    std::vector<FleetOverride> overrides;
};
struct FleetPlan {
    std::string capacity_type;
    ReservationKind reservations = ReservationKind::kDefault;  // Where that is "reserved".
    std::vector<FleetPart> parts;
    std::vector<rules::OfferingKey> asked;  // All that the overrides stand for, cheapest first.
};

struct FleetGround {
    const Ec2NodeClass& node_class;
    const ClassStatus& status;
    const Settings& settings;
    std::map<std::string, std::string> subnets;     // The one to launch in, by zone.
    const ReservationBook* reservations = nullptr;  // nullptr: none has room.
    std::optional<PlacementGroup> placement_group = {};
    std::shared_ptr<const RegionFacts> region = {};  // Where expressions in spec.kubelet are worked out.
};

// `tried`: what was found short already. kExhausted where nothing is left; kNotReady and kInvalid where no
// user data can be made.
Result<FleetPlan> plan_fleet(const LaunchRequest& request, const std::set<rules::OfferingKey>& tried,
                             const FleetGround& ground);

// Of templates, fleets, instances and all that comes with them.
api::StringMap tags_for(const Ec2NodeClass& node_class, const Settings& settings,
                        const api::NodeClaim& claim);

// What else a claim wants of its fleet. Claims with one plan and the same terms may share a fleet.
struct FleetTerms {
    api::StringMap tags;
    std::string context;
    bool has_overlaid_prices = false;  // Then EC2 goes by them.

    friend bool operator==(const FleetTerms&, const FleetTerms&) = default;
};
FleetTerms fleet_terms(const Ec2NodeClass& node_class, const Settings& settings, const api::NodeClaim& claim);

// For one instance, without a token and without tags that say for whom.
FleetRequest fleet_request(const FleetPlan& plan, const FleetTerms& terms);

}  // namespace joiner::cloud::ec2
