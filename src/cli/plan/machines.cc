#include "cli/plan/machines.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "api/names.h"
#include "cloud/kwok/aws_catalogue.h"
#include "cloud/kwok/type_labels.h"
#include "cloud/kwok/types_file.h"
#include "io/file.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kMostTypesFileBytes = 256u << 20;
constexpr std::string_view kAws = "aws";

std::string_view first_label(const api::StringMap& labels, std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
        if (const std::string_view value = api::find_or_empty(labels, key); !value.empty()) return value;
    }
    return {};
}

std::string cloud_named_by(const api::Node& node) {
    const std::string_view id = node.provider_id;
    if (id.starts_with("aws://")) return "aws";
    if (id.starts_with("gce://")) return "gcp";
    if (id.starts_with("azure://")) return "azure";
    for (const auto& [key, value] : node.meta.labels) {
        if (key.starts_with("eks.amazonaws.com/") || key.starts_with("karpenter.k8s.aws/")) return "aws";
        if (key.starts_with("cloud.google.com/")) return "gcp";
        if (key.starts_with("kubernetes.azure.com/")) return "azure";
    }
    return {};
}

bool says_spot(const api::StringMap& labels) {
    return api::find_or_empty(labels, "eks.amazonaws.com/capacityType") == "SPOT" ||
           api::find_or_empty(labels, "cloud.google.com/gke-spot") == "true" ||
           api::find_or_empty(labels, "cloud.google.com/gke-preemptible") == "true" ||
           api::find_or_empty(labels, "cloud.google.com/gke-provisioning") == "spot" ||
           api::find_or_empty(labels, "kubernetes.azure.com/scalesetpriority") == "spot" ||
           api::find_or_empty(labels, "node-lifecycle") == "spot" ||
           api::find_or_empty(labels, "lifecycle") == "Ec2Spot" ||
           api::find_or_empty(labels, "node.kubernetes.io/lifecycle") == "spot";
}

// The same machines in zones of another region, at the prices of theirs. Where a type is sold in some zones
// of its own region only, it is taken to be sold in all of the other.
rules::InstanceTypes in_zones(const std::vector<rules::InstanceType>& types, const std::string& region,
                              const Zones& zones) {
    auto out = std::make_shared<std::vector<rules::InstanceType>>();
    for (const rules::InstanceType& from : types) {
        rules::InstanceType& type = out->emplace_back(from);
        type.offerings.clear();
        std::map<std::string_view, rules::Money> prices;
        for (const rules::Offering& one : from.offerings) {
            const auto [it, is_new] = prices.try_emplace(one.capacity_type(), one.price);
            if (!is_new) it->second = std::min(it->second, one.price);
        }
        for (const std::string& zone : zones) {
            for (const auto& [capacity_type, price] : prices) {
                type.offerings.push_back(cloud::kwok::make_offering(zone, capacity_type, 0));
                type.offerings.back().price = price;
            }
        }
        type.requirements.replace(
            rules::Requirement::in(std::string(api::kZoneLabel), {zones.begin(), zones.end()}));
        type.requirements.replace(cloud::kwok::one_value(api::kRegionLabel, region));
        type.requirements.remove(api::kZoneIdLabel);
    }
    return out;
}

}  // namespace

MachineFacts machine_facts(const api::Node& node) {
    const api::StringMap& labels = node.meta.labels;
    MachineFacts out;
    out.cloud = cloud_named_by(node);
    out.zone = first_label(labels, {api::kZoneLabel, "failure-domain.beta.kubernetes.io/zone"});
    out.region = first_label(labels, {api::kRegionLabel, "failure-domain.beta.kubernetes.io/region"});
    out.type = first_label(labels, {api::kInstanceTypeLabel, "beta.kubernetes.io/instance-type"});
    out.arch = first_label(labels, {api::kArchLabel, "beta.kubernetes.io/arch"});
    out.os = first_label(labels, {api::kOSLabel, "beta.kubernetes.io/os"});
    if (out.arch.empty()) out.arch = "amd64";
    if (out.os.empty()) out.os = "linux";
    // us-east-1a, of AWS.
    if (out.region.empty() && out.cloud == kAws && !out.zone.empty())
        out.region = out.zone.substr(0, out.zone.size() - 1);
    out.capacity_type = api::find_or_empty(labels, api::kCapacityTypeLabel);
    if (out.capacity_type.empty()) out.capacity_type = says_spot(labels) ? api::kSpot : api::kOnDemand;
    return out;
}

bool is_burstable(const std::string& cloud, std::string_view type) {
    if (cloud == kAws) return type.size() > 1 && type[0] == 't' && type[1] >= '1' && type[1] <= '9';
    if (cloud == "azure") return type.starts_with("Standard_B");
    if (cloud != "gcp") return false;
    return type == "e2-micro" || type == "e2-small" || type == "e2-medium" || type.starts_with("f1-") ||
           type.starts_with("g1-");
}

Result<Machines> Machines::load(const std::string& types_file) {
    Machines out;
    if (types_file.empty()) {
        out.types_ = std::make_shared<const std::vector<rules::InstanceType>>(cloud::kwok::aws_types());
        for (const rules::InstanceType& type : *out.types_) {
            const rules::Requirement* region = type.requirements.find(api::kRegionLabel);
            if (region != nullptr) out.types_region_ = region->any_value();
            if (region != nullptr) break;
        }
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
    if (cloud != kAws) {
        out.types = std::make_shared<const std::vector<rules::InstanceType>>();
    } else if (region.empty() || region == types_region_) {
        out.types = types_;
    } else {
        out.types = in_zones(*types_, region, zones);
        out.remark = fmt::format("machines in {} are taken at the prices of {}, for no others are known here",
                                 region, types_region_);
    }
    return out;
}

ForSale Machines::for_pool(const api::NodePool& pool, const std::string& region, const Zones& zones) {
    const std::string_view group = pool.node_template.node_class.group;
    std::string cloud;
    if (group.empty() || group == "karpenter.kwok.sh" || group == "karpenter.k8s.aws" ||
        group == "eks.amazonaws.com")
        cloud = kAws;
    if (group == "karpenter.azure.com") cloud = "azure";
    if (group == "karpenter.k8s.gcp") cloud = "gcp";
    return for_sale(cloud, region, zones);
}

rules::RestrictedLabels Machines::labels() const {
    rules::RestrictedLabels out = cloud::kwok::labels_of(*types_);
    for (const auto& [key, one] : given_) {
        if (one.types->empty()) continue;
        for (const rules::Requirement& requirement : one.types->front().requirements)
            out.well_known.add(requirement.key());
    }
    return out;
}

model::TypesSource Machines::source() const {
    if (has_file_) return {"the file of --instance-types", ""};
    return {"the built-in catalogue", "--instance-types reads others"};
}

rules::Money estimated_price(const rules::Resources& capacity, std::string_view capacity_type) {
    const double dollars = kDollarsPerCore * static_cast<double>(capacity.cpu_milli) / 1000 +
                           kDollarsPerGiB * static_cast<double>(capacity.memory_bytes) / (1 << 30);
    return rules::Money::from_dollars(dollars * (capacity_type == api::kSpot ? kSpotShareOfPrice : 1));
}

}  // namespace joiner::cli
