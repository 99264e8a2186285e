#include "cloud/ec2/aws/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace joiner::cloud::ec2::aws {
namespace {

struct Partition {
    std::string_view prefix;  // Of its regions.
    std::string_view name;
    std::string_view suffix;
    std::string_view dual_stack_suffix;
    std::string_view iam_region;  // Where IAM, which has one endpoint a partition, is signed for.
};

// The first prefix that fits; the last is everybody else's.
constexpr std::array<Partition, 8> kPartitions = {{
    {"cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "cn-north-1"},
    {"us-gov-", "aws-us-gov", "amazonaws.com", "api.aws", "us-gov-west-1"},
    {"us-isob-", "aws-iso-b", "sc2s.sgov.gov", "", "us-isob-east-1"},
    {"us-isof-", "aws-iso-f", "csp.hci.ic.gov", "", "us-isof-south-1"},
    {"us-iso-", "aws-iso", "c2s.ic.gov", "", "us-iso-east-1"},
    {"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "", "eu-isoe-west-1"},
    {"eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", "eusc-de-east-1"},
    {"", "aws", "amazonaws.com", "api.aws", "us-east-1"},
}};

const Partition& partition_of(std::string_view region) {
    return *std::find_if(kPartitions.begin(), kPartitions.end(),
                         [&](const Partition& each) { return region.starts_with(each.prefix); });
}

// Prices are listed in a few regions, for all of a part of the world.
std::string_view pricing_region(std::string_view region) {
    if (region.starts_with("cn-")) return "cn-northwest-1";
    if (region.starts_with("ap-")) return "ap-south-1";
    if (region.starts_with("eu-")) return "eu-central-1";
    return "us-east-1";
}

// As AWS_ENDPOINT_URL_<SERVICE> and the `[services]` of a profile call it.
std::string_view service_id(Service service) {
    switch (service) {
        case Service::kZonalShift:
            return "arc_zonal_shift";
        case Service::kEventBridge:
            return "eventbridge";
        default:
            return name_of(service);
    }
}

Result<bool> read_flag(const Environment& environment, const char* variable, const char* key) {
    const std::string value = environment.setting(variable, key);
    if (value.empty() || value == "false") return false;
    if (value == "true") return true;
    return invalid(fmt::format("{} is \"{}\": it must be true or false", variable, value));
}

Status check_url(std::string_view where, const std::string& url) {
    if (url.starts_with("http://") || url.starts_with("https://")) return {};
    return invalid(fmt::format("{} is not a URL that begins with http:// or https://", where));
}

std::string without_last_slash(std::string url) {
    while (url.ends_with('/')) url.pop_back();
    return url;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return out;
}

}  // namespace

std::string_view name_of(Service service) {
    switch (service) {
        case Service::kEc2:
            return "ec2";
        case Service::kIam:
            return "iam";
        case Service::kSts:
            return "sts";
        case Service::kSqs:
            return "sqs";
        case Service::kSsm:
            return "ssm";
        case Service::kEks:
            return "eks";
        case Service::kPricing:
            return "pricing";
        case Service::kZonalShift:
            return "arc-zonal-shift";
        case Service::kEventBridge:
            return "events";
        case Service::kSavingsPlans:
            return "savingsplans";
    }
    return "";
}

std::string region_in(const Environment& environment) {
    const std::string region = environment.variable("AWS_REGION");
    return region.empty() ? environment.setting("AWS_DEFAULT_REGION", "region") : region;
}

Result<Endpoints> Endpoints::read(const Environment& environment, std::string region) {
    Endpoints out;
    out.region_ = region_in(environment);
    if (out.region_.empty()) out.region_ = std::move(region);
    if (out.region_.empty()) return invalid("no AWS region is known: set AWS_REGION");
    TRY(out.uses_fips_, read_flag(environment, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
    TRY(out.uses_dual_stack_, read_flag(environment, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
    TRY(const bool ignores_urls,
        read_flag(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls"));
    if (ignores_urls) return out;

    const auto services = environment.files.services.find(environment.profile_setting("services"));
    for (const Service service :
         {Service::kEc2, Service::kIam, Service::kSts, Service::kSqs, Service::kSsm, Service::kEks,
          Service::kPricing, Service::kZonalShift, Service::kEventBridge, Service::kSavingsPlans}) {
        const std::string id(service_id(service));
        const std::string variable = "AWS_ENDPOINT_URL_" + upper(id);
        std::string url = environment.variable(variable);
        // What is said of one service in a profile gives way to what the environment says of all.
        if (url.empty() && environment.variable("AWS_ENDPOINT_URL").empty() &&
            services != environment.files.services.end()) {
            if (const auto it = services->second.find(id + ".endpoint_url"); it != services->second.end())
                url = it->second;
        }
        if (url.empty()) continue;
        TRY_STATUS(check_url(variable, url));
        out.urls_[id] = without_last_slash(std::move(url));
    }
    const std::string url = environment.setting("AWS_ENDPOINT_URL", "endpoint_url");
    if (!url.empty()) {
        TRY_STATUS(check_url("AWS_ENDPOINT_URL", url));
        out.url_ = without_last_slash(url);
    }
    return out;
}

std::string_view Endpoints::partition() const {
    return partition_of(region_).name;
}

ServiceEndpoint Endpoints::of(Service service) const {
    const Partition& partition = partition_of(region_);
    ServiceEndpoint out;
    // Savings Plans have one endpoint for all regions, but for those of the other partitions and FIPS.
    const bool is_global = service == Service::kSavingsPlans && partition.name == "aws" && !uses_fips_;
    out.signing_region = service == Service::kIam || is_global ? std::string(partition.iam_region)
                         : service == Service::kPricing        ? std::string(pricing_region(region_))
                                                               : region_;
    if (const auto it = urls_.find(std::string(service_id(service))); it != urls_.end()) {
        out.url = it->second;
        return out;
    }
    if (!url_.empty()) {
        out.url = url_;
        return out;
    }
    const bool has_dual_stack = uses_dual_stack_ && !partition.dual_stack_suffix.empty();
    const std::string_view suffix = has_dual_stack ? partition.dual_stack_suffix : partition.suffix;
    // GovCloud's regional endpoints are the validated ones already, but for two services.
    const bool is_fips_by_itself = partition.name == "aws-us-gov" && !has_dual_stack &&
                                   service != Service::kZonalShift && service != Service::kSavingsPlans;
    const bool wants_fips = uses_fips_ && !is_fips_by_itself && service != Service::kPricing;
    std::string host = service == Service::kPricing ? "api.pricing" : std::string(name_of(service));
    if (wants_fips) host = service == Service::kEks && !has_dual_stack ? "fips.eks" : host + "-fips";
    if (service == Service::kIam && partition.name == "aws-us-gov") {
        out.url = fmt::format("https://iam.us-gov.{}", suffix);
    } else if ((service == Service::kIam || is_global) && has_dual_stack) {
        out.url = fmt::format("https://{}.global.{}", host, suffix);
    } else if ((service == Service::kIam && partition.name == "aws") || is_global) {
        out.url = fmt::format("https://{}.{}", host, suffix);
    } else {
        out.url = fmt::format("https://{}.{}.{}", host, out.signing_region, suffix);
    }
    return out;
}

}  // namespace joiner::cloud::ec2::aws
