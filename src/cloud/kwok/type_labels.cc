#include "cloud/kwok/type_labels.h"

#include <fmt/format.h>

#include "api/names.h"

namespace joiner::cloud::kwok {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;

namespace {

std::string label(std::string_view name) {
    return fmt::format("{}/{}", kLabelDomain, name);
}

}  // namespace

std::string family_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    const std::size_t end = dot != std::string_view::npos ? dot : name.find('-');
    return std::string(end == std::string_view::npos ? name.substr(0, 1) : name.substr(0, end));
}

std::string size_of(std::string_view name, const std::string& cpus) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? cpus : std::string(name.substr(dot + 1));
}

Requirement one_value(std::string_view key, std::string value) {
    return Requirement::in(std::string(key), {std::move(value)});
}

void add_type_labels(InstanceType& type, std::string_view arch, std::vector<std::string> operating_systems) {
    const std::string cpus = std::to_string(type.capacity.cpu_milli / 1000);
    type.requirements.add(one_value(api::kInstanceTypeLabel, type.name));
    type.requirements.add(one_value(api::kArchLabel, std::string(arch)));
    type.requirements.add(Requirement::in(std::string(api::kOSLabel), std::move(operating_systems)));
    type.requirements.add(one_value(label("instance-size"), size_of(type.name, cpus)));
    type.requirements.add(one_value(label("instance-family"), family_of(type.name)));
    type.requirements.add(one_value(label("instance-cpu"), cpus));
    // As the types file writes it: "8Gi".
    const auto memory = Quantity::of_units(type.capacity.memory_bytes, Quantity::Format::kBinarySI);
    type.requirements.add(one_value(label("instance-memory"), memory.to_string()));
    std::vector<std::string> zones;
    std::vector<std::string> capacity_types;
    for (const Offering& offering : type.offerings) {
        zones.emplace_back(offering.zone());
        capacity_types.emplace_back(offering.capacity_type());
    }
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), std::move(zones)));
    type.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), std::move(capacity_types)));
}

Offering make_offering(std::string zone, std::string_view capacity_type, double price) {
    Offering out;
    out.requirements.add(one_value(api::kZoneLabel, std::move(zone)));
    out.requirements.add(one_value(api::kCapacityTypeLabel, std::string(capacity_type)));
    out.price = rules::Money::from_dollars(price);
    return out;
}

rules::Resources kwok_overhead() {
    rules::Resources out;
    out.cpu_milli = 100;
    out.memory_bytes = 10 << 20;
    return out;
}

}  // namespace joiner::cloud::kwok
