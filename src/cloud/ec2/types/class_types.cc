#include "cloud/ec2/types/class_types.h"

#include <algorithm>
#include <map>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/types/instance_type.h"

namespace joiner::cloud::ec2 {
namespace {

rules::Requirement one(std::string_view key, std::string value) {
    return rules::Requirement::in(std::string(key), {std::move(value)});
}

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
    return out;
}

}  // namespace

Result<std::vector<rules::InstanceType>> make_class_types(const RegionFacts& facts, const std::string& region,
                                                          const Ec2NodeClass& node_class,
                                                          const ClassStatus& status,
                                                          const Settings& settings) {
    auto kubelet = parse_kubelet(node_class.kubelet, node_class.family);
    if (!kubelet) return invalid(kubelet.error().message);
    NodeShape shape = shape_of(node_class, std::move(*kubelet));
    shape.memory_overhead = settings.vm_memory_overhead;
    shape.reserved_interfaces = settings.reserved_enis;
    shape.region = region;
    std::map<std::string, std::string> zones;  // With their ids.
    for (const StatusSubnet& subnet : status.subnets) zones[subnet.zone] = subnet.zone_id;

    std::vector<rules::InstanceType> out;
    for (const InstanceTypeInfo& info : facts.types) {
        const auto known = table_facts().find(info.name);
        rules::InstanceType type =
            make_instance_type(info, known == table_facts().end() ? TableFacts{} : known->second, shape);
        if (image_for(status, type) == nullptr) continue;
        const bool is_compatible = why_incompatible(info, node_class).empty();
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
                type.offerings.push_back(make_offering(facts, info.name, zone, id, capacity_type));
                if (!is_compatible) type.offerings.back().available = false;
            }
        }
        if (type.offerings.empty()) continue;
        type.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), in_zones));
        type.requirements.add(rules::Requirement::in(std::string(api::kZoneIdLabel), zone_ids));
        type.requirements.add(rules::Requirement::in(std::string(api::kCapacityTypeLabel), capacity_types));
        type.requirements.add(rules::Requirement::in(std::string(kTenancyLabel), {"default"}));
        out.push_back(std::move(type));
    }
    return out;
}

}  // namespace joiner::cloud::ec2
