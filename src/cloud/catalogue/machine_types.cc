#include "cloud/catalogue/machine_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/types/type_labels.h"
#include "cloud/kwok/aws_catalogue.h"
#include "cloud/kwok/type_labels.h"

namespace joiner::cloud::catalogue {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;

constexpr std::int64_t kMi = 1 << 20;
constexpr std::int64_t kGi = 1 << 30;

// Shares that go to the kubelet and the system, by brackets: {up to, share of what lies below}.
struct Bracket {
    double up_to;
    double share;
};

double by_brackets(double amount, std::initializer_list<Bracket> brackets) {
    double out = 0;
    double from = 0;
    for (const Bracket& bracket : brackets) {
        if (amount <= from) break;
        out += (std::min(amount, bracket.up_to) - from) * bracket.share;
        from = bracket.up_to;
    }
    return out;
}

constexpr double kNoEnd = 1e18;

// Rounded down, as kubelets are given it; sums of shares may lie a hair below what they stand for.
std::int64_t whole(double amount) {
    return static_cast<std::int64_t>(std::floor(amount + 1e-6));
}

// AKS and GKE keep the same shares of memory (GiB).
double kept_memory_gib(double gib) {
    return by_brackets(gib, {{4, 0.25}, {8, 0.20}, {16, 0.10}, {128, 0.06}, {kNoEnd, 0.02}});
}

// Azure's hypervisor keeps 7.5 % of the memory as upstream reckons, Google's 7 %.
std::int64_t seen_memory(std::int64_t bytes, double kept_share) {
    return bytes - static_cast<std::int64_t>(std::ceil(static_cast<double>(bytes) * kept_share));
}

void one(InstanceType& type, std::string_view key, std::string value) {
    type.requirements.add(kwok::one_value(key, std::move(value)));
}

void absent(InstanceType& type, std::string_view key) {
    type.requirements.add(Requirement::does_not_exist(std::string(key)));
}

void one_or_absent(InstanceType& type, std::string_view key, const std::string& value) {
    value.empty() ? absent(type, key) : one(type, key, value);
}

void several(InstanceType& type, std::string_view key, std::vector<std::string> values) {
    type.requirements.add(Requirement::in(std::string(key), std::move(values)));
}

void add_common_labels(InstanceType& type, const MachineRow& row, const std::string& region,
                       const std::vector<std::string>& zones) {
    one(type, api::kInstanceTypeLabel, row.name);
    one(type, api::kArchLabel, row.arch);
    one(type, api::kOSLabel, "linux");
    one(type, api::kRegionLabel, region);
    several(type, api::kZoneLabel, zones);
    std::vector<std::string> capacity_types = {std::string(api::kOnDemand)};
    if (has_spot(row)) capacity_types.emplace_back(api::kSpot);
    several(type, api::kCapacityTypeLabel, std::move(capacity_types));
}

void add_offerings(InstanceType& type, const MachineRow& row, const std::vector<std::string>& zones,
                   const TablePrice& price) {
    const double spot = price.spot.value_or(price.dollars * kOtherSpotShare);
    for (const std::string& zone : zones) {
        type.offerings.push_back(kwok::make_offering(zone, api::kOnDemand, price.dollars));
        if (has_spot(row)) type.offerings.push_back(kwok::make_offering(zone, api::kSpot, spot));
    }
}

// AKS: nodes have a disk of 128 GB and take 250 pods (Azure CNI Overlay), as Karpenter's defaults are; of CPU
// and memory shares are kept by brackets, and 750 MiB are the eviction threshold.
void add_aks_size(InstanceType& type, const MachineRow& row) {
    type.capacity.cpu_milli = row.cpu * 1000;
    type.capacity.memory_bytes = seen_memory(row.memory_mib / 1024 * kGi, 0.075);
    type.capacity.ephemeral_bytes = 128'000'000'000;
    type.capacity.pods = 250;
    type.overhead.cpu_milli = whole(
        1000 * by_brackets(static_cast<double>(row.cpu), {{1, 0.06}, {2, 0.04}, {4, 0.02}, {kNoEnd, 0.01}}));
    const double gib = static_cast<double>(row.memory_mib) / 1024;
    type.overhead.memory_bytes = whole(1024 * kept_memory_gib(gib)) * kMi + 750 * kMi;
    if (row.gpu_count > 0) type.capacity.set(row.gpu_maker + ".com/gpu", row.gpu_count);
    if (row.data_disks > 0) type.volume_limits.emplace_back("disk.csi.azure.com", row.data_disks);
}

// "v5" of Dsv5 is version 5; a size without one has version 1.
std::string azure_version(const MachineRow& row) {
    const std::size_t at = row.name.rfind("_v");
    return at == std::string::npos ? "1" : row.name.substr(at + 2);
}

void add_aks_labels(InstanceType& type, const MachineRow& row, const std::vector<std::string>& zones) {
    const auto flag = [&](char letter) { return row.flags.find(letter) != std::string::npos; };
    const auto yes_or_no = [](bool is) { return std::string(is ? "true" : "false"); };
    const std::string cpu = std::to_string(row.cpu);
    const std::string memory = std::to_string(row.memory_mib);
    one(type, "karpenter.azure.com/sku-name", row.name);
    one(type, "karpenter.azure.com/sku-family", row.family);
    one(type, "karpenter.azure.com/sku-series", row.series);
    one(type, "karpenter.azure.com/sku-version", azure_version(row));
    one(type, "karpenter.azure.com/sku-cpu", cpu);
    one(type, "karpenter.azure.com/sku-memory", memory);
    one(type, "kubernetes.azure.com/sku-cpu", cpu);
    one(type, "kubernetes.azure.com/sku-memory", memory);
    one(type, "karpenter.azure.com/sku-networking-accelerated", yes_or_no(flag('a')));
    one(type, "karpenter.azure.com/sku-storage-premium-capable", yes_or_no(flag('p')));
    // The table does not say how large a disk of the system it can hold, nor where ultra disks are.
    absent(type, "karpenter.azure.com/sku-storage-ephemeralos-maxsize");
    one(type, "karpenter.azure.com/sku-storage-ultra-ssd", "false");
    one(type, "karpenter.azure.com/sku-gpu-count", std::to_string(row.gpu_count));
    one_or_absent(type, "karpenter.azure.com/sku-gpu-manufacturer", row.gpu_maker);
    one_or_absent(type, "karpenter.azure.com/sku-gpu-name", row.gpu_name);
    std::set<std::string> scopes;
    for (const std::string& zone : zones) scopes.insert(zone == "0" ? "regional" : "zonal");
    several(type, "karpenter.azure.com/placement-scope", {scopes.begin(), scopes.end()});
    several(type, "kubernetes.azure.com/mode", {"system", "user"});
    several(type, "kubernetes.azure.com/os-sku", {"AzureLinux", "Ubuntu"});
    absent(type, "kubernetes.azure.com/fips_enabled");
    std::vector<std::string> priorities = {"regular"};
    if (has_spot(row)) priorities.emplace_back("spot");
    several(type, "kubernetes.azure.com/scalesetpriority", priorities);
    several(type, "kubernetes.azure.com/priority", std::move(priorities));
    for (Offering& offering : type.offerings) {
        const std::string priority = offering.capacity_type() == api::kSpot ? "spot" : "regular";
        offering.requirements.add(kwok::one_value("kubernetes.azure.com/scalesetpriority", priority));
        offering.requirements.add(kwok::one_value("kubernetes.azure.com/priority", priority));
        offering.requirements.add(kwok::one_value("karpenter.azure.com/placement-scope",
                                                  offering.zone() == "0" ? "regional" : "zonal"));
    }
}

// The parts of "n2-standard-8"; of "e2-medium" the second is the size too.
struct GoogleName {
    std::string family;
    std::string shape;
    std::string size;
};

GoogleName google_name(std::string_view name) {
    const std::size_t first = name.find('-');
    const std::size_t last = name.rfind('-');
    return {std::string(name.substr(0, first)),
            std::string(name.substr(first + 1, last == first ? last : last - first - 1)),
            std::string(name.substr(last + 1))};
}

// The number that the text begins with, up to a dash.
std::optional<double> number_in(std::string_view text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || out <= 0) return {};
    if (end != text.data() + text.size() && *end != '-') return {};
    return static_cast<double>(out);
}

bool is_shared_core(const MachineRow& row) {
    return row.name == "e2-micro" || row.name == "e2-small" || row.name == "e2-medium";
}

// GKE: nodes boot from 100 GiB and take 110 pods. Shared cores keep 1,060m; others shares by brackets, and
// 100m of every node go to the kube-proxy that is on it. Of the disk 10 % are the eviction threshold, and the
// least of a half, 35 % and 6 GiB, and 100 GiB are kept.
void add_gke_size(InstanceType& type, const MachineRow& row) {
    constexpr std::int64_t kKubeProxyMilli = 100;
    constexpr std::int64_t kBootGiB = 100;
    constexpr std::int64_t kKeptGiB = 41;
    type.capacity.cpu_milli = row.cpu * 1000;
    type.capacity.memory_bytes = seen_memory(row.memory_mib * kMi, 0.07);
    type.capacity.ephemeral_bytes = kBootGiB * kGi;
    type.capacity.pods = 110;
    const double kept_cpu = 1000 * by_brackets(static_cast<double>(row.cpu),
                                               {{1, 0.06}, {2, 0.01}, {4, 0.005}, {kNoEnd, 0.0025}});
    type.overhead.cpu_milli = (is_shared_core(row) ? 1060 : whole(kept_cpu)) + kKubeProxyMilli;
    const double gib = static_cast<double>(row.memory_mib) / 1024;
    const std::int64_t kept_mib = gib <= 1 ? 255 : whole(1024 * kept_memory_gib(gib));
    type.overhead.memory_bytes = (kept_mib + 100) * kMi;
    type.overhead.ephemeral_bytes = (kBootGiB / 10 + kKeptGiB) * kGi;
    type.volume_limits.emplace_back("pd.csi.storage.gke.io", is_shared_core(row) ? 15 : 127);
}

void add_gke_labels(InstanceType& type, const MachineRow& row) {
    const GoogleName name = google_name(row.name);
    const auto digit =
        std::find_if(name.family.begin(), name.family.end(), [](char c) { return c >= '0' && c <= '9'; });
    one(type, "karpenter.k8s.gcp/instance-family", name.family);
    one(type, "karpenter.k8s.gcp/instance-shape", name.shape);
    one(type, "karpenter.k8s.gcp/instance-size", name.size);
    one(type, "karpenter.k8s.gcp/instance-generation",
        digit == name.family.end() ? std::string() : std::string(1, *digit));
    one(type, "karpenter.k8s.gcp/instance-cpu", std::to_string(row.cpu));
    one(type, "karpenter.k8s.gcp/instance-memory", std::to_string(row.memory_mib));
    absent(type, "karpenter.k8s.gcp/instance-gpu-name");
    absent(type, "karpenter.k8s.gcp/instance-gpu-count");
    // Known keys that Karpenter's provider leaves empty.
    absent(type, "karpenter.k8s.gcp/instance-gpu-manufacturer");
    absent(type, "karpenter.k8s.gcp/instance-gpu-memory");
    absent(type, api::kWindowsBuildLabel);
    absent(type, "cloud.google.com/gke-accelerator");
    one(type, "cloud.google.com/machine-family", name.family);
}

}  // namespace

TablePrice price_in(const MachineTable& table, const MachineRow& row, std::string_view region) {
    const int index = table.region_index(region);
    const auto at = static_cast<std::size_t>(index);
    if (index >= 0 && row.prices[at] > 0) {
        TablePrice out{static_cast<double>(row.prices[at]) / 1e6, true};
        if (row.spot[at] > 0) out.spot = static_cast<double>(row.spot[at]) / 1e6;
        return out;
    }
    const auto first = std::find_if(row.prices.begin(), row.prices.end(), [](auto p) { return p > 0; });
    return {first == row.prices.end() ? 0 : static_cast<double>(*first) / 1e6, false};
}

std::optional<TablePrice> custom_price(std::string_view name, std::string_view region) {
    constexpr std::string_view kCustom = "custom-";
    constexpr double kPremium = 1.05;
    const std::size_t at = name.find(kCustom);
    if (at == std::string_view::npos || (at > 0 && name[at - 1] != '-')) return {};
    // Without a family it is one of N1.
    const std::string family(at == 0 ? "n1" : name.substr(0, at - 1));
    const std::string_view size = name.substr(at + kCustom.size());
    const std::size_t dash = size.find('-');
    if (dash == std::string_view::npos) return {};
    const std::string_view cores_text = size.substr(0, dash);
    const auto [cores, mib] = std::pair(number_in(cores_text), number_in(size.substr(dash + 1)));
    // Shared cores of E2: a quarter, a half, and one.
    const std::optional<double> billed = cores_text == "micro"    ? std::optional(0.25)
                                         : cores_text == "small"  ? std::optional(0.5)
                                         : cores_text == "medium" ? std::optional(1.0)
                                                                  : cores;
    if (!billed || !mib) return {};
    const MachineRow* first = nullptr;
    const MachineTable& table = google_table();
    for (const MachineRow& row : table.rows) {
        if (!row.name.starts_with(family + "-") || is_shared_core(row)) continue;
        if (first == nullptr) {
            first = &row;
            continue;
        }
        // Two machines of different shape have two unknowns: what a core and what a GiB costs.
        const auto gib = [](const MachineRow& one) { return static_cast<double>(one.memory_mib) / 1024; };
        const auto own = [](const MachineRow& one) { return static_cast<double>(one.cpu); };
        const double determinant = own(*first) * gib(row) - own(row) * gib(*first);
        if (std::abs(determinant) < 1) continue;
        const TablePrice a = price_in(table, *first, region);
        const TablePrice b = price_in(table, row, region);
        const double core = (a.dollars * gib(row) - b.dollars * gib(*first)) / determinant;
        const double per_gib = (own(*first) * b.dollars - own(row) * a.dollars) / determinant;
        const double dollars = *billed * core + *mib / 1024 * per_gib;
        return TablePrice{dollars * (family == "e2" ? 1 : kPremium), a.is_own && b.is_own};
    }
    return {};
}

bool has_spot(const MachineRow& row) {
    return row.family != "B";
}

std::vector<InstanceType> azure_types(const std::string& region, const std::vector<std::string>& zones) {
    const MachineTable& table = azure_table();
    const bool is_known = table.region_index(region) >= 0;
    std::vector<InstanceType> out;
    for (const MachineRow& row : table.rows) {
        const TablePrice price = price_in(table, row, region);
        if ((is_known && !price.is_own) || row.flags.find('x') != std::string::npos) continue;
        if (!is_known && row.prices.front() == 0) continue;
        InstanceType& type = out.emplace_back();
        type.name = row.name;
        add_aks_size(type, row);
        add_offerings(type, row, zones, price);
        add_common_labels(type, row, region, zones);
        add_aks_labels(type, row, zones);
    }
    return out;
}

std::vector<InstanceType> google_types(const std::string& region, const std::vector<std::string>& zones) {
    const MachineTable& table = google_table();
    const bool is_known = table.region_index(region) >= 0;
    std::vector<InstanceType> out;
    for (const MachineRow& row : table.rows) {
        const TablePrice price = price_in(table, row, region);
        if (is_known && !price.is_own) continue;
        InstanceType& type = out.emplace_back();
        type.name = row.name;
        add_gke_size(type, row);
        add_offerings(type, row, zones, price);
        add_common_labels(type, row, region, zones);
        add_gke_labels(type, row);
    }
    return out;
}

AwsFactor aws_factor(std::string_view type, std::string_view region) {
    if (region == ec2::catalogue().region) return {};
    const AwsRegions& all = aws_regions();
    const auto it = all.regions.find(region);
    if (it == all.regions.end()) return {1, false, false};
    const auto family = it->second.families.find(ec2::family_of(type));
    if (family == it->second.families.end()) return {it->second.median, false, true};
    return {family->second, true, true};
}

std::vector<InstanceType> aws_types(const std::string& region, const std::vector<std::string>& zones) {
    std::vector<InstanceType> out = kwok::aws_types();
    for (InstanceType& type : out) {
        const double factor = aws_factor(type.name, region).factor;
        std::map<std::string, rules::Money, std::less<>> prices;
        for (const Offering& offering : type.offerings)
            prices.emplace(offering.capacity_type(), offering.price);
        type.offerings.clear();
        for (const std::string& zone : zones) {
            for (const auto& [capacity_type, price] : prices)
                type.offerings.push_back(kwok::make_offering(zone, capacity_type, price.dollars() * factor));
        }
        type.requirements.remove(api::kZoneIdLabel);
        type.requirements.replace(kwok::one_value(api::kRegionLabel, region));
        type.requirements.replace(Requirement::in(std::string(api::kZoneLabel), zones));
    }
    return out;
}

}  // namespace joiner::cloud::catalogue
