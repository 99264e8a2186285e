#include "cloud/ec2/types/class_types.h"

#include <algorithm>
#include <map>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/reservations/reservation_rules.h"
#include "cloud/ec2/types/instance_type.h"

namespace joiner::cloud::ec2 {
namespace {

// Of a placement group; EC2 gives no more.
constexpr int kMostPartitions = 7;

rules::Requirement one(std::string_view key, std::string value) {
    return rules::Requirement::in(std::string(key), {std::move(value)});
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

rules::Offering make_offering(const RegionFacts& facts, const std::string& type, const std::string& zone,
                              const std::string& zone_id, const std::string& capacity_type) {
    rules::Offering out;
    out.requirements.add(one(api::kZoneLabel, zone));
    if (!zone_id.empty()) out.requirements.add(one(api::kZoneIdLabel, zone_id));
    out.requirements.add(one(api::kCapacityTypeLabel, capacity_type));
    const bool wants_spot_price = capacity_type == api::kSpot && !facts.spot.empty();
    const auto spot = facts.spot.find({type, zone});
    const auto on_demand = facts.on_demand.find(type);
    if (wants_spot_price && spot != facts.spot.end())
        out.price = spot->second;
    else if (!wants_spot_price && on_demand != facts.on_demand.end())
        out.price = on_demand->second;
    else
        out.available = false;
    add_reservation_labels({}, out.requirements);
    return out;
}

// Of the type, in one of the zones.
std::vector<StatusReservation> reservations_of(const ClassStatus& status, const std::string& type,
                                               const std::vector<std::string>& zones) {
    std::vector<StatusReservation> out;
    for (const StatusReservation& each : status.reservations) {
        if (each.type == type && std::find(zones.begin(), zones.end(), each.zone) != zones.end())
            out.push_back(each);
    }
    return out;
}

rules::Offering make_reserved(const RegionFacts& facts, const StatusReservation& reservation,
                              const std::string& zone_id) {
    rules::Offering out;
    out.requirements.add(one(api::kZoneLabel, reservation.zone));
    if (!zone_id.empty()) out.requirements.add(one(api::kZoneIdLabel, zone_id));
    out.requirements.add(one(api::kCapacityTypeLabel, std::string(api::kReserved)));
    add_reservation_labels({reservation}, out.requirements);
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

// One for each partition, so that pods can be spread over them.
void add_offering(rules::Offering offering, const std::vector<std::string>& partitions,
                  rules::InstanceType& type) {
    if (partitions.empty()) {
        offering.requirements.add(rules::Requirement::does_not_exist(std::string(kPartitionLabel)));
        type.offerings.push_back(std::move(offering));
        return;
    }
    for (const std::string& partition : partitions) {
        type.offerings.push_back(offering);
        type.offerings.back().requirements.add(one(kPartitionLabel, partition));
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
    auto kubelet = parse_kubelet(node_class.kubelet, node_class.family);
    if (!kubelet) return invalid(kubelet.error().message);
    NodeShape shape = shape_of(node_class, std::move(*kubelet));
    shape.memory_overhead = settings.vm_memory_overhead;
    shape.reserved_interfaces = settings.reserved_enis;
    shape.region = region;
    std::map<std::string, std::string> zones;  // With their ids.
    for (const StatusSubnet& subnet : status.subnets) zones[subnet.zone] = subnet.zone_id;

    const std::vector<std::string> partitions = partitions_of(group);

    std::vector<rules::InstanceType> out;
    for (const InstanceTypeInfo& info : facts.types) {
        const auto known = table_facts().find(info.name);
        const TableFacts& of_table = known == table_facts().end() ? kNoTableFacts : known->second;
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
        for (const char* usage : {"on-demand", "spot"}) {
            if (std::find(info.usage_classes.begin(), info.usage_classes.end(), usage) !=
                info.usage_classes.end())
                capacity_types.emplace_back(usage);
        }
        for (const auto& [zone, id] : zones) {
            if (!facts.zones.contains({info.name, zone})) continue;
            in_zones.push_back(zone);
            if (!id.empty()) zone_ids.push_back(id);
            for (const std::string& capacity_type : capacity_types) {
                rules::Offering offering = make_offering(facts, info.name, zone, id, capacity_type);
                if (!is_compatible) offering.available = false;
                add_offering(std::move(offering), partitions, type);
            }
        }
        const std::vector<StatusReservation> reservations = reservations_of(status, info.name, in_zones);
        for (const StatusReservation& each : reservations) {
            rules::Offering offering = make_reserved(facts, each, zones[each.zone]);
            if (!is_compatible) offering.available = false;
            add_offering(std::move(offering), partitions, type);
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

void set_reservation_counts(const ReservationBook& book, std::vector<rules::InstanceType>& types) {
    for (rules::InstanceType& type : types) {
        for (rules::Offering& offering : type.offerings) {
            if (!offering.reservation_id.empty())
                offering.reservation_capacity = book.capacity(offering.reservation_id);
        }
    }
}

}  // namespace joiner::cloud::ec2
