#include "cli/plan/machines.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/names.h"
#include "cloud/catalogue/catalogue.h"
#include "cloud/kwok/types_file.h"
#include "io/file.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kMostTypesFileBytes = 256u << 20;

using cloud::catalogue::Cloud;

constexpr std::pair<std::string_view, Cloud> kClouds[] = {
    {"aws", Cloud::kAws}, {"azure", Cloud::kAzure}, {"gcp", Cloud::kGoogle}};

std::optional<Cloud> cloud_named(std::string_view name) {
    for (const auto& [own, cloud] : kClouds) {
        if (own == name) return cloud;
    }
    return std::nullopt;
}

}  // namespace

MachineFacts machine_facts(const api::Node& node) {
    namespace catalogue = cloud::catalogue;
    MachineFacts out;
    if (const std::optional<Cloud> cloud = catalogue::cloud_of(node)) {
        for (const auto& [name, one] : kClouds) {
            if (one == *cloud) out.cloud = name;
        }
    }
    const auto label = [&](std::string_view key, std::string_view old, std::string_view otherwise) {
        for (const std::string_view one : {key, old}) {
            if (const std::string_view value = api::find_or_empty(node.meta.labels, one); !value.empty())
                return std::string(value);
        }
        return std::string(otherwise);
    };
    out.region = catalogue::region_of(node);
    out.zone = catalogue::zone_of(node);
    out.type = catalogue::type_of(node);
    out.capacity_type = catalogue::capacity_type_of(node);
    out.arch = label(api::kArchLabel, "beta.kubernetes.io/arch", "amd64");
    out.os = label(api::kOSLabel, "beta.kubernetes.io/os", "linux");
    return out;
}

bool is_burstable(const std::string& cloud, std::string_view type) {
    if (cloud == "aws") return type.size() > 1 && type[0] == 't' && type[1] >= '1' && type[1] <= '9';
    if (cloud == "azure") return type.starts_with("Standard_B");
    if (cloud != "gcp") return false;
    return type == "e2-micro" || type == "e2-small" || type == "e2-medium" || type.starts_with("f1-") ||
           type.starts_with("g1-");
}

Result<Machines> Machines::load(const std::string& types_file) {
    Machines out;
    if (types_file.empty()) {
        TRY(out.own_types_, PoolTypes::load(""));
        return out;
    }
    out.has_file_ = true;
    TRY(const std::string text, io::read_file(types_file, kMostTypesFileBytes));
    TRY(auto types, cloud::kwok::parse_types(text, "instance types file " + types_file));
    out.types_ = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    return out;
}

ForSale Machines::for_sale(const std::string& cloud, const std::string& region, const Zones& zones) {
    if (has_file_) return {types_, {}};
    const auto [it, is_new] = given_.try_emplace({cloud, region, zones});
    if (!is_new) return it->second;
    ForSale& out = it->second;
    const std::optional<Cloud> known = cloud_named(cloud);
    if (!known) {
        out.types = std::make_shared<const std::vector<rules::InstanceType>>();
        return out;
    }
    const auto& catalogue = cloud::catalogue::built_in();
    out.types = catalogue.types_of(
        *known, region.empty() ? std::string(cloud::catalogue::Catalogue::base_region(*known)) : region,
        {zones.begin(), zones.end()});
    out.remark = catalogue.note(*known, region);
    return out;
}

void PoolPlaces::add(const api::Node& node) {
    const MachineFacts facts = machine_facts(node);
    if (facts.cloud.empty() || facts.zone.empty() || facts.region.empty()) return;
    const std::string_view pool = api::find_or_empty(node.meta.labels, api::kNodePoolLabel);
    for (ByRegion* places : {&of_all_, pool.empty() ? nullptr : &by_pool_[std::string(pool)]}) {
        if (places == nullptr) continue;
        auto& [nodes, zones] = (*places)[facts.region];
        ++nodes;
        zones.insert(facts.zone);
    }
}

PoolPlaces::Place PoolPlaces::of(std::string_view pool) const {
    const auto own = by_pool_.find(pool);
    const ByRegion& places = own == by_pool_.end() ? of_all_ : own->second;
    if (places.empty()) return {};
    const auto most = std::max_element(places.begin(), places.end(), [](const auto& a, const auto& b) {
        return a.second.first < b.second.first;
    });
    return {most->first, most->second.second};
}

ForSale Machines::for_pool(const api::NodePool& pool, const PoolPlaces& places) {
    if (has_file_) return {types_, {}};
    const std::string_view group = pool.node_template.node_class.group;
    std::string cloud;
    if (group == "karpenter.k8s.aws") cloud = "aws";
    if (group == "karpenter.azure.com") cloud = "azure";
    if (group == "karpenter.k8s.gcp") cloud = "gcp";
    const auto [region, zones] = places.of(pool.meta.name);
    if (cloud.empty() || region.empty()) return {own_types_->of(pool), {}};
    return for_sale(cloud, region, zones);
}

rules::RestrictedLabels Machines::labels() const {
    rules::RestrictedLabels out = has_file_ ? cloud::kwok::labels_of(*types_) : own_types_->labels();
    for (const auto& [key, one] : given_) {
        if (one.types->empty()) continue;
        for (const rules::Requirement& requirement : one.types->front().requirements)
            out.well_known.add(requirement.key());
    }
    return out;
}

model::TypesSource Machines::source() const {
    if (has_file_) return {"the file of --instance-types", ""};
    return own_types_->source();
}

SeenPrice seen_price(const std::string& cloud, const std::string& region, const std::string& type,
                     const rules::Resources& capacity, std::string_view capacity_type) {
    const std::optional<Cloud> known = cloud_named(cloud);
    const auto& catalogue = cloud::catalogue::built_in();
    if (known) {
        if (const auto price = catalogue.price_of(*known, type, region, capacity_type);
            price && price->source != cloud::catalogue::PriceSource::kEstimated)
            return {price->per_hour, false};
    }
    double dollars = kDollarsPerCore * static_cast<double>(capacity.cpu_milli) / 1000 +
                     kDollarsPerGiB * static_cast<double>(capacity.memory_bytes) / (1 << 30);
    if (known)
        dollars = catalogue.estimated_price(*known, capacity.cpu_milli, capacity.memory_bytes).dollars();
    return {rules::Money::from_dollars(dollars * (capacity_type == api::kSpot ? kSpotShareOfPrice : 1)),
            true};
}

}  // namespace joiner::cli
