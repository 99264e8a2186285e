#include "cloud/ec2/types/class_types.h"

#include <algorithm>
#include <map>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/reservations/reservation_rules.h"
#include "cloud/ec2/types/instance_type.h"
#include "cloud/ec2/types/kubelet_of_type.h"

namespace joiner::cloud::ec2 {
namespace {

// Of a placement group; EC2 gives no more.
constexpr int kMostPartitions = 7;

rules::Requirement one(std::string_view key, std::string value) {
    return rules::Requirement::in(std::string(key), {std::move(value)});
}

bool contains(const std::vector<std::string>& all, std::string_view one_of_them) {
    return std::find(all.begin(), all.end(), one_of_them) != all.end();
}

const TableFacts kNoTableFacts;

// Facts that no call of EC2 tells, by type.
const std::map<std::string, TableFacts, std::less<>>& table_facts() {
    static const auto kFacts = [] {
        std::map<std::string, TableFacts, std::less<>> out;
        for (const CatalogueType& type : catalogue().types) out[type.info.name] = type.facts;
        return out;
    }();
    return kFacts;
}

// Where types are sold. Nearly all offerings are of a few places, and share what is required of each.
struct Place {
    std::string zone;
    std::string capacity_type;
    std::vector<rules::Requirements> requirements;  // One a partition.
};

// One for each partition, so that pods can be spread over them.
std::vector<rules::Requirements> by_partition(const rules::Requirements& of_place,
                                              const std::vector<std::string>& partitions) {
    std::vector<rules::Requirements> out(std::max<std::size_t>(partitions.size(), 1), of_place);
    if (partitions.empty()) out[0].add(rules::Requirement::does_not_exist(std::string(kPartitionLabel)));
    for (std::size_t i = 0; i < partitions.size(); ++i) out[i].add(one(kPartitionLabel, partitions[i]));
    return out;
}

rules::Requirements make_requirements(const std::string& zone, const std::string& zone_id,
                                      std::string_view capacity_type,
                                      const std::vector<StatusReservation>& reservations) {
    rules::Requirements out;
    out.add(one(api::kZoneLabel, zone));
    if (!zone_id.empty()) out.add(one(api::kZoneIdLabel, zone_id));
    out.add(one(api::kCapacityTypeLabel, std::string(capacity_type)));
    add_reservation_labels(reservations, out);
    return out;
}

// By zone, then capacity type.
std::vector<Place> make_places(const std::map<std::string, std::string>& zones,
                               const std::vector<std::string>& partitions) {
    std::vector<Place> out;
    for (const auto& [zone, id] : zones) {
        for (const std::string_view capacity_type : {api::kOnDemand, api::kSpot})
            out.push_back({zone, std::string(capacity_type),
                           by_partition(make_requirements(zone, id, capacity_type, {}), partitions)});
    }
    return out;
}

// But for its requirements.
rules::Offering make_offering(const RegionFacts& facts, const std::string& type, const Place& place) {
    rules::Offering out;
    const bool wants_spot_price = place.capacity_type == api::kSpot && !facts.spot.empty();
    const auto spot = facts.spot.find({type, place.zone});
    const auto on_demand = facts.on_demand.find(type);
    if (wants_spot_price && spot != facts.spot.end())
        out.price = spot->second;
    else if (!wants_spot_price && on_demand != facts.on_demand.end())
        out.price = on_demand->second;
    else
        out.available = false;
    return out;
}

// Of the type, in one of the zones.
std::vector<StatusReservation> reservations_of(const ClassStatus& status, const std::string& type,
                                               const std::vector<std::string>& zones) {
    std::vector<StatusReservation> out;
    for (const StatusReservation& each : status.reservations) {
        if (each.type == type && contains(zones, each.zone)) out.push_back(each);
    }
    return out;
}

// But for its requirements.
rules::Offering make_reserved(const RegionFacts& facts, const StatusReservation& reservation) {
    rules::Offering out;
    const auto on_demand = facts.on_demand.find(reservation.type);
    if (on_demand != facts.on_demand.end()) out.price = reserved_price(on_demand->second);
    out.available = !reservation.is_expiring;
    out.reservation_id = reservation.id;
    return out;
}

// "1", "2", ...; empty: the group has none, or there is no group.
std::vector<std::string> partitions_of(const std::optional<PlacementGroup>& group) {
    std::vector<std::string> out;
    if (!group || group->strategy != "partition") return out;
    for (int i = 1; i <= std::min(group->partitions, kMostPartitions); ++i) out.push_back(std::to_string(i));
    return out;
}

// One for each of the lists of requirements.
void add_offerings(const rules::Offering& offering, const std::vector<rules::Requirements>& requirements,
                   rules::InstanceType& type) {
    for (const rules::Requirements& each : requirements) {
        type.offerings.push_back(offering);
        type.offerings.back().requirements = each;
    }
}

void add_placement_labels(const std::optional<PlacementGroup>& group,
                          const std::vector<std::string>& partitions, rules::Requirements& out) {
    out.add(group ? one(kPlacementGroupLabel, group->id)
                  : rules::Requirement::does_not_exist(std::string(kPlacementGroupLabel)));
    out.add(partitions.empty() ? rules::Requirement::does_not_exist(std::string(kPartitionLabel))
                               : rules::Requirement::in(std::string(kPartitionLabel), partitions));
}

}  // namespace

Result<std::vector<rules::InstanceType>> make_class_types(const RegionFacts& facts, const std::string& region,
                                                          const Ec2NodeClass& node_class,
                                                          const ClassStatus& status, const Settings& settings,
                                                          const std::optional<PlacementGroup>& group,
                                                          const MemoryByImage& learned) {
    auto kubelet = parse_kubelet(node_class.kubelet, node_class.family, settings.node_class_cel);
    if (!kubelet) return invalid(kubelet.error().message);
    NodeShape of_class = shape_of(node_class, std::move(*kubelet), settings);
    of_class.region = region;
    const bool has_expressions = of_class.kubelet.has_expressions();
    NodeShape shape = of_class;                // Of a type's node.
    std::map<std::string, std::string> zones;  // With their ids.
    for (const StatusSubnet& subnet : status.subnets) zones[subnet.zone] = subnet.zone_id;

    const std::vector<std::string> partitions = partitions_of(group);
    const std::vector<Place> places = make_places(zones, partitions);

    std::vector<rules::InstanceType> out;
    for (const InstanceTypeInfo& info : facts.types) {
        const auto known = table_facts().find(info.name);
        const TableFacts& of_table = known == table_facts().end() ? kNoTableFacts : known->second;
        if (has_expressions) {
            TypeKubelet resolved = kubelet_of(info, of_class);
            if (!resolved.max_pods_failure.empty())
                return invalid(resolved.max_pods_failure + ", for " + info.name);
            shape.kubelet = std::move(resolved.settings);
        }
        rules::InstanceType type = make_instance_type(info, of_table, shape);
        const StatusImage* image = image_for(status, type);
        if (image == nullptr) continue;
        const auto memory = learned.find({info.name, image->id});
        if (memory != learned.end() && is_likely_memory(info, memory->second))
            type = make_instance_type(info, of_table, shape, memory->second);
        const bool is_compatible = why_incompatible(info, node_class, group ? group->strategy : "").empty();
        std::vector<std::string> in_zones;
        std::vector<std::string> zone_ids;
        std::vector<std::string> capacity_types;
        for (const std::string_view usage : {api::kOnDemand, api::kSpot}) {
            if (contains(info.usage_classes, usage)) capacity_types.emplace_back(usage);
        }
        for (const auto& [zone, id] : zones) {
            if (!facts.zones.contains({info.name, zone})) continue;
            in_zones.push_back(zone);
            if (!id.empty()) zone_ids.push_back(id);
        }
        type.offerings.reserve(places.size() * std::max<std::size_t>(partitions.size(), 1));
        for (const Place& place : places) {
            if (!contains(in_zones, place.zone) || !contains(capacity_types, place.capacity_type)) continue;
            rules::Offering offering = make_offering(facts, info.name, place);
            if (!is_compatible) offering.available = false;
            add_offerings(offering, place.requirements, type);
        }
        const std::vector<StatusReservation> reservations = reservations_of(status, info.name, in_zones);
        for (const StatusReservation& each : reservations) {
            rules::Offering offering = make_reserved(facts, each);
            if (!is_compatible) offering.available = false;
            add_offerings(offering,
                          by_partition(make_requirements(each.zone, zones[each.zone], api::kReserved, {each}),
                                       partitions),
                          type);
        }
        if (!reservations.empty()) capacity_types.emplace_back(api::kReserved);
        if (type.offerings.empty()) continue;
        type.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), in_zones));
        type.requirements.add(rules::Requirement::in(std::string(api::kZoneIdLabel), zone_ids));
        type.requirements.add(rules::Requirement::in(std::string(api::kCapacityTypeLabel), capacity_types));
        type.requirements.add(
            rules::Requirement::in(std::string(kTenancyLabel), {"dedicated", std::string(kDefaultTenancy)}));
        add_placement_labels(group, partitions, type.requirements);
        add_reservation_labels(reservations, type.requirements);
        out.push_back(std::move(type));
    }
    return out;
}

void share_requirements(const std::vector<rules::InstanceType>& from, std::vector<rules::InstanceType>& to) {
    auto other = from.begin();
    for (rules::InstanceType& type : to) {
        other = std::find_if(other, from.end(), [&](const auto& each) { return each.name >= type.name; });
        if (other == from.end()) return;
        if (other->name == type.name && other->requirements == type.requirements)
            type.requirements = other->requirements;
    }
}

void set_reservation_counts(const ReservationBook& book, std::vector<rules::InstanceType>& types) {
    for (rules::InstanceType& type : types) {
        for (rules::Offering& offering : type.offerings) {
            if (!offering.reservation_id.empty())
                offering.reservation_capacity = book.capacity(offering.reservation_id);
        }
    }
}

}  // namespace joiner::cloud::ec2
