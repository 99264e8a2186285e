#include "cloud/kwok/types_file.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>

#include "api/names.h"
#include "cloud/kwok/type_labels.h"

namespace joiner::cloud::kwok {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// The member under either spelling: upstream's files have "Price", hand-written ones often "price".
bool find(const object& from, std::string_view upper, std::string_view lower, element& out) {
    return from[upper].get(out) == simdjson::SUCCESS || from[lower].get(out) == simdjson::SUCCESS;
}

class TypeReader {
  public:
    TypeReader(std::string source, std::size_t index)
        : where_(fmt::format("{}: entry {}", std::move(source), index)) {}

    Result<InstanceType> read(const element& entry) {
        object fields;
        if (entry.get(fields) != simdjson::SUCCESS) return invalid(where_ + " is not an object");
        InstanceType type;
        TRY(type.name, text(fields, "name"));
        where_ = where_.substr(0, where_.rfind(": entry")) + ": type " + type.name;
        TRY_STATUS(read_resources(fields, type));
        TRY_STATUS(read_offerings(fields, type));
        TRY(const std::string arch, text(fields, "architecture"));
        std::vector<std::string> systems;
        array list;
        if (fields["operatingSystems"].get(list) == simdjson::SUCCESS) {
            for (const element system : list) {
                std::string_view name;
                if (system.get(name) != simdjson::SUCCESS)
                    return invalid(where_ + ": operatingSystems must be texts");
                systems.emplace_back(name);
            }
        }
        if (systems.empty()) systems.emplace_back("linux");
        type.overhead = kwok_overhead();
        add_type_labels(type, arch, std::move(systems));
        return type;
    }

  private:
    Result<std::string> text(const object& fields, std::string_view key) const {
        std::string_view value;
        if (fields[key].get(value) != simdjson::SUCCESS || value.empty()) {
            return invalid(fmt::format("{} has no {}", where_, key));
        }
        return std::string(value);
    }

    Status read_resources(const object& fields, InstanceType& type) const {
        object resources;
        if (fields["resources"].get(resources) != simdjson::SUCCESS)
            return invalid(where_ + " has no resources");
        api::ResourceMap amounts;
        for (const auto& [name, value] : resources) {
            std::string_view written;
            std::string number;
            std::int64_t whole = 0;
            if (value.get(written) != simdjson::SUCCESS) {
                if (value.get(whole) != simdjson::SUCCESS) {
                    return invalid(
                        fmt::format("{}: resource {} is not a quantity", where_, std::string_view(name)));
                }
                number = std::to_string(whole);
                written = number;
            }
            const auto quantity = Quantity::parse(written);
            if (!quantity) {
                return invalid(fmt::format("{}: resource {}: {}", where_, std::string_view(name),
                                           quantity.error().message));
            }
            amounts.emplace(name, *quantity);
        }
        type.capacity = rules::as_capacity(amounts);
        if (type.capacity.cpu_milli <= 0) return invalid(where_ + " has no cpu");
        if (type.capacity.memory_bytes <= 0) return invalid(where_ + " has no memory");
        if (type.capacity.pods == 0) type.capacity.pods = 110;
        return {};
    }

    Status read_offerings(const object& fields, InstanceType& type) const {
        array offerings;
        if (fields["offerings"].get(offerings) != simdjson::SUCCESS)
            return invalid(where_ + " has no offerings");
        std::size_t number = 0;
        for (const element item : offerings) {
            const std::string where = fmt::format("{}: offering {}", where_, ++number);
            object offer;
            if (item.get(offer) != simdjson::SUCCESS) return invalid(where + " is not an object");
            TRY(Offering offering, read_offering(offer, where));
            type.offerings.push_back(std::move(offering));
        }
        if (type.offerings.empty()) return invalid(where_ + " has no offerings");
        return {};
    }

    static Result<Offering> read_offering(const object& offer, const std::string& where) {
        Offering out;
        element member;
        double price = 0;
        if (!find(offer, "Price", "price", member)) return invalid(where + " has no Price");
        if (member.get(price) != simdjson::SUCCESS || !(price >= 0 && price <= 1e6)) {
            return invalid(where + ": Price is not a number of dollars per hour between 0 and 1000000");
        }
        out.price = rules::Money::from_dollars(price);
        if (find(offer, "Available", "available", member) && member.get(out.available) != simdjson::SUCCESS) {
            return invalid(where + ": Available is neither true nor false");
        }
        std::int64_t reserved = 0;
        if (find(offer, "ReservationCapacity", "reservationCapacity", member) &&
            member.get(reserved) == simdjson::SUCCESS) {
            out.reservation_capacity = static_cast<int>(std::clamp<std::int64_t>(reserved, 0, 1'000'000'000));
        }
        array requirements;
        if (!find(offer, "Requirements", "requirements", member) ||
            member.get(requirements) != simdjson::SUCCESS) {
            return invalid(where + " has no Requirements");
        }
        for (const element item : requirements) {
            TRY(Requirement requirement, read_requirement(item, where));
            out.requirements.add(std::move(requirement));
        }
        if (out.zone().empty()) return invalid(where + " names no single " + std::string(api::kZoneLabel));
        if (out.capacity_type().empty())
            return invalid(where + " names no single " + std::string(api::kCapacityTypeLabel));
        return out;
    }

    static Result<Requirement> read_requirement(const element& item, const std::string& where) {
        api::SelectorRequirement out;
        std::string_view key;
        std::string_view op;
        if (item["key"].get(key) != simdjson::SUCCESS || item["operator"].get(op) != simdjson::SUCCESS) {
            return invalid(where + ": a requirement lacks key or operator");
        }
        out.key = key;
        out.op = op;
        array values;
        if (item["values"].get(values) == simdjson::SUCCESS) {
            for (const element value : values) {
                std::string_view text;
                if (value.get(text) != simdjson::SUCCESS)
                    return invalid(where + ": a requirement's value is not a text");
                out.values.emplace_back(text);
            }
        }
        return Requirement::make(out);
    }

    std::string where_;
};

}  // namespace

Result<std::vector<InstanceType>> parse_types(std::string_view json, const std::string& source) {
    simdjson::dom::parser parser;
    element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
        return invalid(fmt::format("{}: not valid JSON: {}", source, simdjson::error_message(error)));
    }
    array entries;
    if (root.get(entries) != simdjson::SUCCESS)
        return invalid(source + ": not a JSON list of instance types");
    std::vector<InstanceType> out;
    std::map<std::string, std::size_t, std::less<>> seen;
    for (const element entry : entries) {
        TRY(InstanceType type, TypeReader(source, out.size() + 1).read(entry));
        if (!seen.emplace(type.name, out.size()).second)
            return invalid(fmt::format("{}: type {} stands there twice", source, type.name));
        out.push_back(std::move(type));
    }
    if (out.empty()) return invalid(source + ": lists no instance types");
    return out;
}

std::vector<InstanceType> builtin_types() {
    constexpr std::array<int, 12> kCpus = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256};
    constexpr std::pair<int, std::string_view> kFamilies[] = {{2, "c"}, {4, "s"}, {8, "m"}};
    std::vector<InstanceType> out;
    for (const int cpus : kCpus) {
        for (const auto& [gib_per_cpu, family] : kFamilies) {
            for (const std::string_view system : {"linux", "windows"}) {
                for (const std::string_view arch : {"amd64", "arm64"}) {
                    InstanceType type;
                    type.name = fmt::format("{}-{}x-{}-{}", family, cpus, arch, system);
                    type.capacity.cpu_milli = cpus * 1000;
                    type.capacity.memory_bytes = static_cast<std::int64_t>(cpus) * gib_per_cpu << 30;
                    type.capacity.pods = std::min(16 * cpus, 1024);
                    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
                    type.overhead = kwok_overhead();
                    const double price =
                        0.025 * cpus + 0.001 * static_cast<double>(type.capacity.memory_bytes) / 1e9;
                    for (const std::string_view zone :
                         {"test-zone-a", "test-zone-b", "test-zone-c", "test-zone-d"}) {
                        type.offerings.push_back(make_offering(std::string(zone), api::kSpot, price * 0.7));
                        type.offerings.push_back(make_offering(std::string(zone), api::kOnDemand, price));
                    }
                    add_type_labels(type, arch, {std::string(system)});
                    out.push_back(std::move(type));
                }
            }
        }
    }
    return out;
}

rules::RestrictedLabels labels_of(const std::vector<InstanceType>& types) {
    rules::RestrictedLabels out;
    out.domains.emplace_back(kLabelDomain);
    const auto note = [&](const Requirements& requirements) {
        for (const Requirement& requirement : requirements) {
            if (!out.well_known.contains(requirement.key())) out.well_known.add(requirement.key());
        }
    };
    for (const InstanceType& type : types) {
        note(type.requirements);
        for (const Offering& offering : type.offerings) note(offering.requirements);
    }
    return out;
}

}  // namespace joiner::cloud::kwok
