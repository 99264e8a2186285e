#include "cloud/ec2/class_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cloud/ec2/calls/json_reader.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

// The objects of a list; nothing where there is none.
std::vector<json> objects_at(const json& object, const char* key) {
    std::vector<json> out;
    const json& list = at(object, key);
    if (!list.is_array()) return out;
    for (const json& each : list) {
        if (each.is_object()) out.push_back(each);
    }
    return out;
}

std::vector<std::string> texts_at(const json& object, const char* key) {
    std::vector<std::string> out;
    const json& list = at(object, key);
    if (!list.is_array()) return out;
    for (const json& each : list) {
        if (each.is_string()) out.push_back(each.get<std::string>());
    }
    return out;
}

StatusReservation read_reservation(const json& object) {
    StatusReservation out;
    out.id = text_at(object, "id");
    out.zone = text_at(object, "availabilityZone");
    out.type = text_at(object, "instanceType");
    out.owner = text_at(object, "ownerID");
    out.match_criteria = text_at(object, "instanceMatchCriteria");
    out.kind = text_at(object, "reservationType");
    if (out.kind.empty()) out.kind = "default";
    out.is_interruptible = at(object, "interruptible") == true;
    out.is_expiring = text_at(object, "state") == "expiring";
    if (const auto ends = parse_rfc3339(text_at(object, "endTime"))) out.ends = *ends;
    return out;
}

json write_reservation(const StatusReservation& reservation) {
    json out = {{"id", reservation.id},
                {"availabilityZone", reservation.zone},
                {"instanceType", reservation.type},
                {"ownerID", reservation.owner},
                {"instanceMatchCriteria", reservation.match_criteria},
                {"reservationType", reservation.kind},
                {"state", reservation.is_expiring ? "expiring" : "active"}};
    if (reservation.is_interruptible) out["interruptible"] = true;
    if (reservation.ends) out["endTime"] = format_rfc3339(*reservation.ends);
    return out;
}

json requirements_of(const StatusImage& image) {
    std::vector<api::SelectorRequirement> all = image.requirements.to_api();
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return a.key.size() != b.key.size() ? a.key.size() < b.key.size() : a.key < b.key;
    });
    json out = json::array();
    for (const api::SelectorRequirement& each : all) {
        json one = {{"key", each.key}, {"operator", each.op}};
        if (!each.values.empty()) one["values"] = each.values;
        out.push_back(std::move(one));
    }
    return out;
}

}  // namespace

ClassStatus read_status(const api::NodeClass& node_class) {
    ClassStatus out;
    const json status = json::parse(node_class.status, nullptr, false);
    if (!status.is_object()) return out;
    for (const json& subnet : objects_at(status, "subnets"))
        out.subnets.push_back({text_at(subnet, "id"), text_at(subnet, "zone"), text_at(subnet, "zoneID")});
    for (const json& group : objects_at(status, "securityGroups"))
        out.security_groups.push_back({text_at(group, "id"), text_at(group, "name")});
    for (const json& image : objects_at(status, "amis")) {
        std::vector<api::SelectorRequirement> wanted;
        for (const json& each : objects_at(image, "requirements"))
            wanted.push_back({text_at(each, "key"), text_at(each, "operator"), texts_at(each, "values"), {}});
        const auto requirements = rules::make_requirements(wanted);
        if (!requirements) continue;
        out.images.push_back(
            {text_at(image, "id"), text_at(image, "name"), at(image, "deprecated") == true, *requirements});
    }
    for (const json& reservation : objects_at(status, "capacityReservations"))
        out.reservations.push_back(read_reservation(reservation));
    out.instance_profile = text_at(status, "instanceProfile");
    return out;
}

std::string write_status(const ClassStatus& status) {
    json out = {{"subnets", json::array()}, {"securityGroups", json::array()}, {"amis", json::array()}};
    for (const StatusSubnet& subnet : status.subnets)
        out["subnets"].push_back({{"id", subnet.id}, {"zone", subnet.zone}, {"zoneID", subnet.zone_id}});
    for (const StatusSecurityGroup& group : status.security_groups)
        out["securityGroups"].push_back({{"id", group.id}, {"name", group.name}});
    for (const StatusImage& image : status.images) {
        json one = {{"id", image.id}, {"name", image.name}, {"requirements", requirements_of(image)}};
        if (image.is_deprecated) one["deprecated"] = true;
        out["amis"].push_back(std::move(one));
    }
    // Null takes away what was there.
    out["capacityReservations"] = nullptr;
    for (const StatusReservation& each : status.reservations)
        out["capacityReservations"].push_back(write_reservation(each));
    if (!status.instance_profile.empty()) out["instanceProfile"] = status.instance_profile;
    return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Status check_ready(const api::NodeClass& node_class) {
    const auto not_ready = [&](const std::string& why) {
        return fail(ErrorKind::kNotReady, fmt::format("EC2NodeClass {} {}", node_class.meta.name, why));
    };
    if (node_class.meta.deleted) return not_ready("is being deleted");
    const api::Condition* ready = api::find_condition(node_class.conditions, "Ready");
    if (ready == nullptr || ready->status == "Unknown") return not_ready("has not been looked at yet");
    if (ready->status != "True") return not_ready("is not Ready: " + ready->message);
    if (ready->observed_generation != node_class.meta.generation)
        return not_ready("has changed, and has not been looked at since");
    return {};
}

const StatusImage* image_for(const ClassStatus& status, const rules::InstanceType& type) {
    for (const StatusImage& image : status.images) {
        if (rules::compatible(type.requirements, image.requirements, nullptr)) return &image;
    }
    return nullptr;
}

}  // namespace joiner::cloud::ec2
