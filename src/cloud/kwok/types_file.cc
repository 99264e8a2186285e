#include "cloud/kwok/types_file.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "api/names.h"
#include "base/check.h"
#include "embedded_catalogue.h"

namespace joiner::cloud::kwok {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kPrefix = "karpenter.kwok.sh/";

std::string label(std::string_view name) {
    return std::string(kPrefix) + std::string(name);
}

// "m5.2xlarge" has family m5 and size 2xlarge; "c-4x-amd64-linux" has family c and is named by its cpus.
std::string family_of(std::string_view name) {
    const std::size_t end = name.find_first_of(".-");
    return std::string(end == std::string_view::npos ? name.substr(0, 1) : name.substr(0, end));
}

std::string size_of(std::string_view name, const std::string& cpus) {
    const std::size_t dot = name.find('.');
    return dot == std::string_view::npos ? cpus : std::string(name.substr(dot + 1));
}

Requirement one(std::string_view key, std::string value) {
    return Requirement::in(std::string(key), {std::move(value)});
}

void add_type_labels(InstanceType& type, std::string_view arch, std::vector<std::string> operating_systems) {
    const std::string cpus = std::to_string(type.capacity.cpu_milli / 1000);
    type.requirements.add(one(api::kInstanceTypeLabel, type.name));
    type.requirements.add(one(api::kArchLabel, std::string(arch)));
    type.requirements.add(Requirement::in(std::string(api::kOSLabel), std::move(operating_systems)));
    type.requirements.add(one(label("instance-size"), size_of(type.name, cpus)));
    type.requirements.add(one(label("instance-family"), family_of(type.name)));
    type.requirements.add(one(label("instance-cpu"), cpus));
    // As the types file writes it: "8Gi".
    const auto memory = Quantity::of_units(type.capacity.memory_bytes, Quantity::Format::kBinarySI);
    type.requirements.add(one(label("instance-memory"), memory.to_string()));
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
    out.requirements.add(one(api::kZoneLabel, std::move(zone)));
    out.requirements.add(one(api::kCapacityTypeLabel, std::string(capacity_type)));
    out.price = rules::Money::from_dollars(price);
    return out;
}

rules::Resources kwok_overhead() {
    rules::Resources out;
    out.cpu_milli = 100;
    out.memory_bytes = 10 << 20;
    return out;
}

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
        if (member.get(price) != simdjson::SUCCESS || !std::isfinite(price) || price < 0 || price > 1e9) {
            return invalid(where + ": Price is not a number of dollars per hour");
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

namespace {

// One line of the catalogue by the names of its header.
class Row {
  public:
    Row(const std::vector<std::string_view>& header, std::string_view line) : header_(header) {
        while (true) {
            const std::size_t tab = line.find('\t');
            cells_.push_back(line.substr(0, tab));
            if (tab == std::string_view::npos) break;
            line.remove_prefix(tab + 1);
        }
        CHECK(cells_.size() == header_.size());
    }
    std::string_view text(std::string_view column) const {
        const auto it = std::find(header_.begin(), header_.end(), column);
        CHECK(it != header_.end());
        return cells_[static_cast<std::size_t>(it - header_.begin())];
    }
    std::int64_t number(std::string_view column) const { return as_number(text(column)); }
    static std::int64_t as_number(std::string_view digits) {
        std::int64_t out = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return out;
    }

  private:
    const std::vector<std::string_view>& header_;
    std::vector<std::string_view> cells_;
};

// The kubelet's reserve as EKS images set it: cpu in bands, memory by the number of pods; and the eviction
// threshold.
rules::Resources aws_overhead(std::int64_t cpus, std::int64_t pods) {
    rules::Resources out;
    std::int64_t left = cpus * 1000;
    for (const auto& [width, per_mille_times_ten] :
         {std::pair<std::int64_t, std::int64_t>{1000, 600}, {1000, 100}, {2000, 50}}) {
        const std::int64_t part = std::min(left, width);
        out.cpu_milli += part * per_mille_times_ten / 10'000;
        left -= part;
    }
    out.cpu_milli += left * 25 / 10'000;
    out.memory_bytes = (11 * pods + 255 + 100) << 20;
    out.ephemeral_bytes = (std::int64_t{1} << 30) + (std::int64_t{2} << 30);
    return out;
}

InstanceType aws_type(const Row& row) {
    InstanceType type;
    type.name = row.text("name");
    const std::int64_t cpus = row.number("cpu");
    const bool is_arm = row.text("arch") == "arm64";
    // What the hypervisor keeps: upstream's default estimate of 7.5 %, and 64 MiB on arm64.
    std::int64_t mebibytes = row.number("memory_mib") - (is_arm ? 64 : 0);
    mebibytes -= (mebibytes * 75 + 999) / 1000;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = mebibytes << 20;
    type.capacity.pods = row.number("pods") > 0 ? row.number("pods") : 110;
    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
    if (const std::string_view gpu = row.text("gpu"); !gpu.empty()) {
        const std::size_t first = gpu.find(':');
        const std::size_t second = gpu.find(':', first + 1);
        const std::int64_t count = Row::as_number(gpu.substr(second + 1));
        const std::string_view maker = gpu.substr(0, first);
        if (count > 0 && maker == "NVIDIA") type.capacity.set("nvidia.com/gpu", count);
        if (count > 0 && maker == "AMD") type.capacity.set("amd.com/gpu", count);
        if (count > 0 && maker == "Habana") type.capacity.set("habana.ai/gaudi", count);
    }
    type.overhead = aws_overhead(cpus, type.capacity.pods);
    const double price = static_cast<double>(row.number("price")) / 1e6;
    const std::string_view usage = row.text("usage");
    for (const char zone : row.text("zones")) {
        const std::string name = fmt::format("us-east-1{}", zone);
        if (usage.find('o') != std::string_view::npos)
            type.offerings.push_back(make_offering(name, api::kOnDemand, price));
        if (usage.find('s') != std::string_view::npos)
            type.offerings.push_back(make_offering(name, api::kSpot, price * 0.7));
    }
    type.requirements.add(one(api::kRegionLabel, "us-east-1"));
    add_type_labels(type, row.text("arch"), {"linux"});
    return type;
}

}  // namespace

std::vector<InstanceType> aws_types() {
    std::vector<InstanceType> out;
    for (const auto& file : embedded::catalogue()) {
        std::vector<std::string_view> header;
        std::string_view rest = file.text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (line.empty() || line.front() == '#') continue;
            if (header.empty()) {
                for (std::string_view names = line;;) {
                    const std::size_t tab = names.find('\t');
                    header.push_back(names.substr(0, tab));
                    if (tab == std::string_view::npos) break;
                    names.remove_prefix(tab + 1);
                }
                continue;
            }
            InstanceType type = aws_type(Row(header, line));
            if (!type.offerings.empty()) out.push_back(std::move(type));
        }
    }
    return out;
}

rules::RestrictedLabels labels_of(const std::vector<InstanceType>& types) {
    rules::RestrictedLabels out;
    out.domains.emplace_back(kPrefix.substr(0, kPrefix.size() - 1));
    for (const std::string_view name :
         {"instance-size", "instance-family", "instance-cpu", "instance-memory"}) {
        out.well_known.add(label(name));
    }
    for (const InstanceType& type : types) {
        for (const Offering& offering : type.offerings) {
            for (const Requirement& requirement : offering.requirements)
                out.well_known.add(requirement.key());
        }
    }
    return out;
}

}  // namespace joiner::cloud::kwok
