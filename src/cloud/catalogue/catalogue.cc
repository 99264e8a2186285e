#include "cloud/catalogue/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "api/names.h"
#include "cloud/catalogue/machine_types.h"
#include "cloud/catalogue/price_tables.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/kwok/aws_catalogue.h"
#include "rules/resources.h"

namespace joiner::cloud::catalogue {
namespace {

// More zones than this no region has; what more a cluster claims is left out.
constexpr std::size_t kMaxZones = 12;
// Questions that are remembered; a cluster lies in few regions.
constexpr std::size_t kMaxAnswers = 64;

constexpr double kGib = 1 << 30;

const MachineTable& table_of(Cloud cloud) {
    return cloud == Cloud::kAzure ? azure_table() : google_table();
}

std::string prices_named(Cloud cloud) {
    switch (cloud) {
        case Cloud::kAws:
            return fmt::format("AWS on-demand prices of {}", aws_prices_dated());
        case Cloud::kAzure:
            return fmt::format("Azure retail prices of {}", azure_table().dated);
        case Cloud::kGoogle:
            return fmt::format("Google Cloud list prices of {}", google_table().dated);
    }
    return {};
}

// The table's zones of the region and those of `seen` that can be in it; at least one.
std::vector<std::string> zones_in(Cloud cloud, const std::string& region,
                                  const std::vector<std::string>& seen) {
    std::vector<std::string> out;
    bool is_listed = false;
    if (cloud != Cloud::kAws) {
        const MachineTable& table = table_of(cloud);
        if (const auto it = table.zones.find(region); it != table.zones.end()) {
            out = it->second;
            is_listed = true;
        }
    }
    for (const std::string& zone : seen) {
        const bool is_inside = zone.starts_with(region) || (cloud == Cloud::kAzure && zone == "0");
        if (is_inside && std::find(out.begin(), out.end(), zone) == out.end()) out.push_back(zone);
    }
    if (out.empty() && cloud == Cloud::kAzure) out = {"0"};
    if (out.empty() && !is_listed) {
        const std::string_view dash = cloud == Cloud::kGoogle ? "-" : "";
        for (const char letter : {'a', 'b', 'c'}) out.push_back(fmt::format("{}{}{}", region, dash, letter));
    }
    std::sort(out.begin(), out.end());
    if (out.size() > kMaxZones) out.resize(kMaxZones);
    return out;
}

// What one core, one GiB and one GPU cost.
struct Rates {
    double core = 0;
    double gib = 0;
    double gpu = 0;
};

struct Sample {
    double cores = 0;
    double gib = 0;
    double gpus = 0;
    double dollars = 0;
};

// Least squares of the relative error, so that small machines count as much as large ones.
Rates fit(const std::vector<Sample>& samples) {
    double aa = 0, ab = 0, bb = 0, a = 0, b = 0;
    for (const Sample& sample : samples) {
        if (sample.gpus > 0) continue;
        const double x = sample.cores / sample.dollars;
        const double y = sample.gib / sample.dollars;
        aa += x * x;
        ab += x * y;
        bb += y * y;
        a += x;
        b += y;
    }
    const double determinant = aa * bb - ab * ab;
    Rates out;
    if (determinant == 0) return out;
    out.core = (a * bb - b * ab) / determinant;
    out.gib = (aa * b - ab * a) / determinant;
    std::vector<double> beyond;
    for (const Sample& sample : samples) {
        if (sample.gpus > 0)
            beyond.push_back((sample.dollars - sample.cores * out.core - sample.gib * out.gib) / sample.gpus);
    }
    std::sort(beyond.begin(), beyond.end());
    if (!beyond.empty()) out.gpu = std::max(0.0, beyond[beyond.size() / 2]);
    return out;
}

// Machines for general use, of which new ones come most often: of others (local disks, high clock rates,
// shares of a core) price says little of cores and memory.
bool is_general(Cloud cloud, std::string_view name) {
    const auto digit_at = [&](std::size_t at) {
        return at < name.size() && name[at] >= '0' && name[at] <= '9';
    };
    switch (cloud) {
        case Cloud::kAws:
            return name.find_first_of("cmr") == 0 && digit_at(1);
        case Cloud::kAzure: {
            constexpr std::string_view kStart = "Standard_";
            const std::size_t from = kStart.size();
            return name.find_first_of("DEF", from) == from && name.find('-') == std::string_view::npos &&
                   digit_at(name.substr(from).starts_with("DS") ? from + 2 : from + 1);
        }
        case Cloud::kGoogle:
            return std::count(name.begin(), name.end(), '-') > 1;
    }
    return false;
}

Rates rates_of(Cloud cloud) {
    std::vector<Sample> samples;
    const auto add = [&](std::string_view name, const Sample& sample) {
        if (sample.gpus > 0 || is_general(cloud, name)) samples.push_back(sample);
    };
    if (cloud == Cloud::kAws) {
        for (const ec2::CatalogueType& type : ec2::catalogue().types) {
            Sample sample{static_cast<double>(type.info.vcpus),
                          static_cast<double>(type.info.memory_mib) / 1024, 0, type.price};
            for (const auto& gpu : type.info.gpus) sample.gpus += gpu.count;
            add(type.info.name, sample);
        }
    } else {
        for (const MachineRow& row : table_of(cloud).rows) {
            if (row.prices.front() > 0)
                add(row.name,
                    {static_cast<double>(row.cpu), static_cast<double>(row.memory_mib) / 1024,
                     static_cast<double>(row.gpu_count), static_cast<double>(row.prices.front()) / 1e6});
        }
    }
    Rates out = fit(samples);
    // The table has no machine with a GPU of its own.
    if (cloud == Cloud::kGoogle) out.gpu = rates_of(Cloud::kAws).gpu;
    return out;
}

const Rates& rates(Cloud cloud) {
    static std::array<std::once_flag, 3> once;
    static std::array<Rates, 3> all;
    const auto at = static_cast<std::size_t>(cloud);
    std::call_once(once[at], [&] { all[at] = rates_of(cloud); });
    return all[at];
}

// Adds what a capacity type does to the on-demand price. `spot`: where it is known.
Price with_capacity_type(Price price, Cloud cloud, std::string_view capacity_type,
                         std::optional<double> spot = {}) {
    if (capacity_type == api::kSpot && spot) {
        price.per_hour = rules::Money::from_dollars(*spot);
    } else if (capacity_type == api::kSpot) {
        const double share = cloud == Cloud::kAws ? kAwsSpotShare : kOtherSpotShare;
        price.per_hour = rules::Money::from_dollars(price.per_hour.dollars() * share);
        price.words += fmt::format("; spot taken as {:g} of on demand", share);
        if (price.source == PriceSource::kTable) price.source = PriceSource::kReckoned;
    } else if (capacity_type == api::kReserved) {
        price.words += "; reserved, at the price on demand";
        if (price.source == PriceSource::kTable) price.source = PriceSource::kReckoned;
    }
    return price;
}

const ec2::CatalogueType* find_aws(const std::string& type) {
    static const auto kByName = [] {
        std::map<std::string_view, const ec2::CatalogueType*> out;
        for (const ec2::CatalogueType& one : ec2::catalogue().types) out.emplace(one.info.name, &one);
        return out;
    }();
    const auto it = kByName.find(type);
    return it == kByName.end() ? nullptr : it->second;
}

std::optional<Price> aws_price(const std::string& type, const std::string& region) {
    const ec2::CatalogueType* found = find_aws(type);
    if (found == nullptr) return {};
    const AwsFactor factor = aws_factor(type, region);
    Price out{rules::Money::from_dollars(found->price * factor.factor), PriceSource::kTable,
              prices_named(Cloud::kAws)};
    if (region == ec2::catalogue().region) return out;
    out.source = PriceSource::kReckoned;
    if (region.empty() || !factor.is_known_region)
        out.words +=
            fmt::format("; {} priced as us-east-1", region.empty() ? "no region said:" : region + " is");
    else
        out.words += fmt::format("; {} times that in {}, as {} there in {}", factor.factor, region,
                                 factor.is_own ? "its family's was" : "most families' were",
                                 aws_regions().dated.substr(0, 7));
    return out;
}

std::optional<Price> table_price(Cloud cloud, const std::string& type, const std::string& region,
                                 std::string_view capacity_type) {
    const MachineTable& table = table_of(cloud);
    const MachineRow* row = table.find(type);
    std::optional<TablePrice> price;
    if (row != nullptr) price = price_in(table, *row, region);
    if (row == nullptr && cloud == Cloud::kGoogle) price = custom_price(type, region);
    if (!price) return {};
    Price out{rules::Money::from_dollars(price->dollars), PriceSource::kTable, prices_named(cloud)};
    if (row == nullptr) {
        out.source = PriceSource::kReckoned;
        out.words += "; by its family's rates, as a custom machine";
    }
    if (price->is_own) return with_capacity_type(std::move(out), cloud, capacity_type, price->spot);
    out.source = PriceSource::kReckoned;
    out.words += region.empty() ? fmt::format("; no region said: priced as {}", table.regions.front())
                                : fmt::format("; none for {}: that of another region", region);
    return with_capacity_type(std::move(out), cloud, capacity_type);
}

// Machines that are not billed by the machine: pods of Fargate and of virtual kubelets.
bool is_billed_by_pod(const api::Node& node) {
    const api::StringMap& labels = node.meta.labels;
    return api::find_or_empty(labels, "eks.amazonaws.com/compute-type") == "fargate" ||
           api::find_or_empty(labels, "type") == "virtual-kubelet" ||
           api::find_or_empty(labels, "kubernetes.azure.com/virtual-kubelet") == "true";
}

}  // namespace

rules::InstanceTypes Catalogue::types_of(Cloud cloud, const std::string& region,
                                         const std::vector<std::string>& zones) const {
    const std::string where = region.empty() ? std::string(base_region(cloud)) : region;
    const bool is_whole = cloud == Cloud::kAws && where == base_region(cloud);
    const std::vector<std::string> all =
        is_whole ? std::vector<std::string>() : zones_in(cloud, where, zones);
    std::string key = fmt::format("{} {}", name_of(cloud), where);
    for (const std::string& zone : all) key += " " + zone;

    const std::lock_guard lock(mutex_);
    if (const auto it = types_.find(key); it != types_.end()) return it->second;
    std::vector<rules::InstanceType> made;
    switch (cloud) {
        case Cloud::kAws:
            made = is_whole ? kwok::aws_types() : aws_types(where, all);
            break;
        case Cloud::kAzure:
            made = azure_types(where, all);
            break;
        case Cloud::kGoogle:
            made = google_types(where, all);
            break;
    }
    auto shared = std::make_shared<const std::vector<rules::InstanceType>>(std::move(made));
    if (types_.size() < kMaxAnswers) types_.emplace(std::move(key), shared);
    return shared;
}

std::optional<Price> Catalogue::price_of(Cloud cloud, const std::string& type, const std::string& region,
                                         std::string_view capacity_type) const {
    if (cloud != Cloud::kAws) return table_price(cloud, type, region, capacity_type);
    std::optional<Price> price = aws_price(type, region);
    if (!price) return {};
    return with_capacity_type(std::move(*price), cloud, capacity_type);
}

std::optional<Price> Catalogue::price_of(const api::Node& node) const {
    const std::optional<Cloud> cloud = cloud_of(node);
    if (!cloud || is_billed_by_pod(node)) return {};
    const std::string type = type_of(node);
    const std::string_view capacity_type = capacity_type_of(node);
    if (auto price = price_of(*cloud, type, region_of(node), capacity_type)) return price;
    const rules::Resources capacity = rules::as_capacity(node.capacity);
    if (capacity.cpu_milli <= 0 || capacity.memory_bytes <= 0) return {};
    const std::int64_t gpus = capacity.get("nvidia.com/gpu") + capacity.get("amd.com/gpu");
    Price out{estimated_price(*cloud, capacity.cpu_milli, capacity.memory_bytes, gpus),
              PriceSource::kEstimated,
              type.empty() ? "the node does not say its type: estimated by its cores and memory"
                           : fmt::format("{} is not in the table of {}: estimated by its cores and memory",
                                         type, name_of(*cloud))};
    return with_capacity_type(std::move(out), *cloud, capacity_type);
}

rules::Money Catalogue::estimated_price(Cloud cloud, std::int64_t cpu_milli, std::int64_t memory_bytes,
                                        std::int64_t gpus) const {
    const Rates& by = rates(cloud);
    return rules::Money::from_dollars(static_cast<double>(cpu_milli) / 1000 * by.core +
                                      static_cast<double>(memory_bytes) / kGib * by.gib +
                                      static_cast<double>(gpus) * by.gpu);
}

std::string Catalogue::dated(Cloud cloud) const {
    return prices_named(cloud);
}

std::string_view Catalogue::base_region(Cloud cloud) {
    switch (cloud) {
        case Cloud::kAws:
            return "us-east-1";
        case Cloud::kAzure:
            return "eastus";
        case Cloud::kGoogle:
            return "us-central1";
    }
    return {};
}

bool Catalogue::knows_region(Cloud cloud, const std::string& region) const {
    if (cloud == Cloud::kAws) return region == base_region(cloud) || aws_regions().regions.contains(region);
    return table_of(cloud).region_index(region) >= 0;
}

std::string Catalogue::note(Cloud cloud, const std::string& region) const {
    if (region.empty())
        return fmt::format("no region of {} is said: prices are those of {}", name_of(cloud),
                           base_region(cloud));
    if (!knows_region(cloud, region))
        return fmt::format("the table of {} does not have {}: prices are those of {}", name_of(cloud), region,
                           base_region(cloud));
    if (cloud == Cloud::kAws && region != base_region(cloud))
        return fmt::format("prices of {} are those of us-east-1, times what {} was over it in {}", region,
                           region, aws_regions().dated.substr(0, 7));
    return {};
}

const Catalogue& built_in() {
    static const Catalogue kCatalogue;
    return kCatalogue;
}

}  // namespace joiner::cloud::catalogue
