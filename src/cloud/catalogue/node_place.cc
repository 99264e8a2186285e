#include "cloud/catalogue/node_place.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "api/meta.h"
#include "api/names.h"

namespace joiner::cloud::catalogue {
namespace {

using api::find_or_empty;

struct PrefixOfCloud {
    std::string_view prefix;
    Cloud cloud;
};

constexpr PrefixOfCloud kProviderIds[] = {
    {"aws://", Cloud::kAws}, {"azure://", Cloud::kAzure}, {"gce://", Cloud::kGoogle}};

// Domains of labels that nothing but one cloud's own agents and Karpenter's provider for it put on nodes.
constexpr PrefixOfCloud kLabelDomains[] = {
    {"eks.amazonaws.com/", Cloud::kAws},      {"karpenter.k8s.aws/", Cloud::kAws},
    {"topology.k8s.aws/", Cloud::kAws},       {"k8s.amazonaws.com/", Cloud::kAws},
    {"kubernetes.azure.com/", Cloud::kAzure}, {"karpenter.azure.com/", Cloud::kAzure},
    {"cloud.google.com/", Cloud::kGoogle},    {"karpenter.k8s.gcp/", Cloud::kGoogle},
    {"iam.gke.io/", Cloud::kGoogle}};

constexpr std::string_view kOldRegionLabel = "failure-domain.beta.kubernetes.io/region";
constexpr std::string_view kOldZoneLabel = "failure-domain.beta.kubernetes.io/zone";
constexpr std::string_view kOldTypeLabel = "beta.kubernetes.io/instance-type";

struct CapacityLabel {
    std::string_view key;
    std::string_view value;  // In lower case. Empty: any.
    std::string_view capacity_type;
};

// The first that is there decides: the controller that bought the node, then the cloud, then the marks that
// people and older tools use. Cloud labels that stand only on spot nodes say nothing of others.
constexpr CapacityLabel kCapacityLabels[] = {
    {"karpenter.sh/capacity-type", "spot", api::kSpot},
    {"karpenter.sh/capacity-type", "reserved", api::kReserved},
    {"karpenter.sh/capacity-type", "on-demand", api::kOnDemand},
    {"eks.amazonaws.com/capacitytype", "spot", api::kSpot},
    {"eks.amazonaws.com/capacitytype", "on_demand", api::kOnDemand},
    {"eks.amazonaws.com/capacitytype", "capacity_block", api::kReserved},
    {"cloud.google.com/gke-spot", "true", api::kSpot},
    {"cloud.google.com/gke-preemptible", "true", api::kSpot},
    {"cloud.google.com/gke-provisioning", "spot", api::kSpot},
    {"cloud.google.com/gke-provisioning", "preemptible", api::kSpot},
    {"cloud.google.com/reservation-name", "", api::kReserved},
    {"kubernetes.azure.com/scalesetpriority", "spot", api::kSpot},
    {"kubernetes.azure.com/priority", "spot", api::kSpot},
    {"spotinst.io/node-lifecycle", "spot", api::kSpot},
    {"spotinst.io/node-lifecycle", "od", api::kOnDemand},
    {"scheduling.cast.ai/spot", "true", api::kSpot},
    {"node.kubernetes.io/lifecycle", "spot", api::kSpot},
    {"node-lifecycle", "spot", api::kSpot},
    {"lifecycle", "ec2spot", api::kSpot},
    {"lifecycle", "spot", api::kSpot},
    {"aws.amazon.com/spot", "true", api::kSpot},
    {"node-role.kubernetes.io/spot-worker", "", api::kSpot},
};

std::string in_lower_case(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

bool is_digit(char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

std::string_view name_of(Cloud cloud) {
    switch (cloud) {
        case Cloud::kAws:
            return "AWS";
        case Cloud::kAzure:
            return "Azure";
        case Cloud::kGoogle:
            return "Google Cloud";
    }
    return {};
}

std::optional<Cloud> cloud_of(const api::Node& node) {
    for (const PrefixOfCloud& one : kProviderIds) {
        if (node.provider_id.starts_with(one.prefix)) return one.cloud;
    }
    for (const PrefixOfCloud& one : kLabelDomains) {
        const auto it = node.meta.labels.lower_bound(one.prefix);
        if (it != node.meta.labels.end() && it->first.starts_with(one.prefix)) return one.cloud;
    }
    return {};
}

std::string zone_of(const api::Node& node) {
    for (const std::string_view key : {api::kZoneLabel, kOldZoneLabel}) {
        if (const std::string_view zone = find_or_empty(node.meta.labels, key); !zone.empty())
            return std::string(zone);
    }
    // "aws:///us-east-1a/i-0123", "gce://project/us-central1-a/name".
    const std::string_view id = node.provider_id;
    const bool is_google = id.starts_with("gce://");
    if (!is_google && !id.starts_with("aws:///")) return {};
    const std::size_t from = is_google ? id.find('/', 6) : 6;
    if (from == std::string_view::npos) return {};
    const std::size_t to = id.find('/', from + 1);
    return to == std::string_view::npos ? std::string() : std::string(id.substr(from + 1, to - from - 1));
}

// Local zones belong to a region too: "us-west-2-lax-1a" is in us-west-2.
std::string region_of_zone(std::string_view zone, std::optional<Cloud> cloud) {
    const std::size_t dash = zone.rfind('-');
    if (dash == std::string_view::npos) return {};
    if (cloud != Cloud::kAws && zone.size() == dash + 2 && !zone.substr(0, dash).ends_with('-') &&
        (cloud.has_value() || !is_digit(zone.back()) || zone.find('-') == dash))
        return std::string(zone.substr(0, dash));
    // Of AWS: letters, dashes and the first number.
    for (std::size_t i = 1; i < zone.size(); ++i) {
        if (is_digit(zone[i]) && zone[i - 1] == '-') {
            std::size_t end = i;
            while (end < zone.size() && is_digit(zone[end])) ++end;
            return std::string(zone.substr(0, end));
        }
    }
    return {};
}

std::string region_of(const api::Node& node) {
    for (const std::string_view key : {api::kRegionLabel, kOldRegionLabel}) {
        if (const std::string_view region = find_or_empty(node.meta.labels, key); !region.empty())
            return std::string(region);
    }
    return region_of_zone(zone_of(node), cloud_of(node));
}

std::string type_of(const api::Node& node) {
    for (const std::string_view key : {api::kInstanceTypeLabel, kOldTypeLabel}) {
        if (const std::string_view type = find_or_empty(node.meta.labels, key); !type.empty())
            return std::string(type);
    }
    return {};
}

std::string_view capacity_type_of(const api::Node& node) {
    // Keys are compared in lower case: eks.amazonaws.com/capacityType.
    std::vector<std::pair<std::string, std::string>> labels;
    for (const auto& [key, value] : node.meta.labels)
        labels.emplace_back(in_lower_case(key), in_lower_case(value));
    for (const CapacityLabel& one : kCapacityLabels) {
        for (const auto& [key, value] : labels) {
            if (key == one.key && (one.value.empty() || value == one.value)) return one.capacity_type;
        }
    }
    return api::kOnDemand;
}

}  // namespace joiner::cloud::catalogue
