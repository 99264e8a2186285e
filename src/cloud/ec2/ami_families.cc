#include "cloud/ec2/ami_families.h"

#include <fmt/format.h>

#include <charconv>

namespace joiner::cloud::ec2 {
namespace {

constexpr FamilyTraits kAl2 = {.reserves_by_addresses = true,
                               .limits_pods_to_addresses = true,
                               .takes_pods_per_core = true,
                               .storage_device = "/dev/xvda"};
constexpr FamilyTraits kBottlerocket = {.limits_pods_to_addresses = true, .storage_device = "/dev/xvdb"};
constexpr FamilyTraits kCustom = {
    .reserves_by_addresses = true, .limits_pods_to_addresses = true, .takes_pods_per_core = true};

constexpr FamilyTraits windows(std::string_view build) {
    return {.takes_pods_per_core = true,
            .is_windows = true,
            .windows_build = build,
            .storage_device = "/dev/sda1"};
}
constexpr FamilyTraits kWindows2019 = windows("10.0.17763");
constexpr FamilyTraits kWindows2022 = windows("10.0.20348");
constexpr FamilyTraits kWindows2025 = windows("10.0.26100");

BlockDeviceMapping volume(std::string device, std::int64_t gibibytes) {
    EbsVolume ebs;
    ebs.encrypted = true;
    ebs.size = Quantity::of_units(gibibytes << 30, Quantity::Format::kBinarySI);
    ebs.type = "gp3";
    return {std::move(device), std::move(ebs), false};
}

int minor_of(std::string_view kubernetes) {
    int out = 0;
    const std::size_t dot = kubernetes.find('.');
    if (dot != std::string_view::npos)
        std::from_chars(kubernetes.data() + dot + 1, kubernetes.data() + kubernetes.size(), out);
    return out;
}

std::vector<ImageParameter> al2023(std::string_view version, std::string_view kubernetes) {
    std::vector<ImageParameter> out;
    for (const auto& [arch, name] : {std::pair{"x86_64", "amd64"}, std::pair{"arm64", "arm64"}}) {
        for (const auto& [variant, word] :
             {std::pair{ImageVariant::kStandard, "standard"}, std::pair{ImageVariant::kNvidia, "nvidia"},
              std::pair{ImageVariant::kNeuron, "neuron"}}) {
            if (variant == ImageVariant::kNeuron && std::string_view(name) == "arm64") continue;
            const std::string image = version == "latest" ? "recommended"
                                                          : fmt::format("amazon-eks-node-al2023-{}-{}-{}-{}",
                                                                        arch, word, kubernetes, version);
            out.push_back(
                {fmt::format("/aws/service/eks/optimized-ami/{}/amazon-linux-2023/{}/{}/{}/image_id",
                             kubernetes, arch, word, image),
                 name,
                 {variant}});
        }
    }
    return out;
}

std::vector<ImageParameter> al2(std::string_view version, std::string_view kubernetes) {
    const auto parameter = [&](std::string_view suffix, std::string_view pinned, std::string arch,
                               std::vector<ImageVariant> variants) {
        const std::string image =
            version == "latest" ? "recommended" : fmt::format("{}-{}-{}", pinned, kubernetes, version);
        return ImageParameter{fmt::format("/aws/service/eks/optimized-ami/{}/amazon-linux-2{}/{}/image_id",
                                          kubernetes, suffix, image),
                              std::move(arch), std::move(variants)};
    };
    return {
        parameter("", "amazon-eks-node", "amd64", {ImageVariant::kStandard}),
        parameter("-arm64", "amazon-eks-arm64-node", "arm64", {ImageVariant::kStandard}),
        parameter("-gpu", "amazon-eks-gpu-node", "amd64", {ImageVariant::kNeuron, ImageVariant::kNvidia})};
}

std::vector<ImageParameter> bottlerocket(std::string_view version, std::string_view kubernetes) {
    if (version.starts_with('v')) version.remove_prefix(1);
    const auto parameter = [&](std::string_view suffix, std::string_view arch, std::string name,
                               std::vector<ImageVariant> variants) {
        return ImageParameter{fmt::format("/aws/service/bottlerocket/aws-k8s-{}{}/{}/{}/image_id", kubernetes,
                                          suffix, arch, version),
                              std::move(name), std::move(variants)};
    };
    return {parameter("", "x86_64", "amd64", {ImageVariant::kStandard, ImageVariant::kNeuron}),
            parameter("", "arm64", "arm64", {ImageVariant::kStandard}),
            parameter("-nvidia", "x86_64", "amd64", {ImageVariant::kNvidia}),
            parameter("-nvidia", "arm64", "arm64", {ImageVariant::kNvidia})};
}

}  // namespace

const FamilyTraits& traits_of(AmiFamily family) {
    switch (family) {
        case AmiFamily::kAl2:
        case AmiFamily::kAl2023:
            return kAl2;
        case AmiFamily::kBottlerocket:
            return kBottlerocket;
        case AmiFamily::kWindows2019:
            return kWindows2019;
        case AmiFamily::kWindows2022:
            return kWindows2022;
        case AmiFamily::kWindows2025:
            return kWindows2025;
        case AmiFamily::kCustom:
            break;
    }
    return kCustom;
}

std::vector<BlockDeviceMapping> default_block_devices(AmiFamily family) {
    switch (family) {
        case AmiFamily::kAl2:
        case AmiFamily::kAl2023:
            return {volume("/dev/xvda", 20)};
        case AmiFamily::kBottlerocket:
            return {volume("/dev/xvda", 6), volume("/dev/xvdb", 20)};
        case AmiFamily::kWindows2019:
        case AmiFamily::kWindows2022:
        case AmiFamily::kWindows2025:
            return {volume("/dev/sda1", 50)};
        case AmiFamily::kCustom:
            break;
    }
    return {};
}

Result<std::vector<ImageParameter>> image_parameters(std::string_view alias, std::string_view kubernetes) {
    const std::size_t at = alias.find('@');
    if (at == std::string_view::npos)
        return invalid(fmt::format("\"{}\" is no alias; one is written family@version", alias));
    const std::string_view family = alias.substr(0, at);
    const std::string_view version = alias.substr(at + 1);
    const int minor = minor_of(kubernetes);
    if (family == "al2023") return al2023(version, kubernetes);
    if (family == "bottlerocket") return bottlerocket(version, kubernetes);
    if (family == "al2") {
        if (minor >= 33)
            return invalid(fmt::format("there are no images of AL2 for Kubernetes {}; al2023@latest has them",
                                       kubernetes));
        return al2(version, kubernetes);
    }
    if (family.starts_with("windows")) {
        if (family == "windows2025" && minor < 35)
            return invalid(fmt::format(
                "there are no images of Windows 2025 for Kubernetes {}; they begin with 1.35", kubernetes));
        if (version != "latest")
            return invalid(fmt::format("{}: images of Windows have no version but latest", alias));
        return std::vector<ImageParameter>{
            {fmt::format(
                 "/aws/service/ami-windows-latest/Windows_Server-{}-English-Core-EKS_Optimized-{}/image_id",
                 family.substr(std::string_view("windows").size()), kubernetes),
             "amd64",
             {ImageVariant::kAny}}};
    }
    return invalid(fmt::format("\"{}\" is no family of images", family));
}

bool is_latest(std::string_view alias) {
    return alias.ends_with("@latest");
}

}  // namespace joiner::cloud::ec2
