#include "cloud/ec2/user_data/user_data.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/user_data/bottlerocket.h"
#include "cloud/ec2/user_data/kubelet_arguments.h"
#include "cloud/ec2/user_data/mime.h"
#include "cloud/ec2/user_data/node_config.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::string_view kScriptType = "text/x-shellscript; charset=\"us-ascii\"";

MimePart part_of(std::string_view type, std::string body) {
    return {fmt::format("Content-Type: {}", type), std::move(body)};
}

// What the user wrote, as parts that come before ours. `takes_node_config`: a document of nodeadm is one,
// too.
Result<std::vector<MimePart>> custom_parts(const Bootstrap& bootstrap, bool takes_node_config) {
    if (!bootstrap.custom || bootstrap.custom->empty()) return std::vector<MimePart>{};
    const std::string& text = *bootstrap.custom;
    if (is_mime(text)) return read_mime(text);
    if (takes_node_config && is_node_config(text))
        return std::vector<MimePart>{part_of(kNodeConfigType, text)};
    return std::vector<MimePart>{part_of(kScriptType, text)};
}

Result<std::string> al2023(const Bootstrap& bootstrap) {
    if (bootstrap.service_cidr.empty())
        return fail(ErrorKind::kUnavailable,
                    "the CIDR of the cluster's services is not known yet, which AL2023 wants");
    TRY(auto parts, custom_parts(bootstrap, true));
    // Of several documents the later counts.
    parts.push_back(part_of(kNodeConfigType, node_config(bootstrap)));
    return write_mime(parts);
}

std::string bootstrap_script(const Bootstrap& bootstrap) {
    std::string out =
        "#!/bin/bash -xe\nexec > >(tee /var/log/user-data.log | logger -t user-data -s 2>/dev/console) "
        "2>&1\n";
    out += fmt::format("/etc/eks/bootstrap.sh {} --apiserver-endpoint {}", in_quotes(bootstrap.cluster_name),
                       in_quotes(bootstrap.endpoint));
    const auto add = [&](std::string_view argument) { out += fmt::format(" \\\n{}", argument); };
    if (!bootstrap.ca_bundle.empty()) add("--b64-cluster-ca " + in_quotes(bootstrap.ca_bundle));
    const std::string dns = dns_of(bootstrap);
    if (dns.find(':') != std::string::npos) add("--ip-family ipv6");
    if (!dns.empty()) add("--dns-cluster-ip " + in_quotes(dns));
    add("--use-max-pods false");
    add("--kubelet-extra-args " + in_quotes(kubelet_arguments(bootstrap)));
    if (bootstrap.uses_raid0) add("--local-disks raid0");
    return out + "\n";
}

Result<std::string> al2(const Bootstrap& bootstrap) {
    TRY(auto parts, custom_parts(bootstrap, false));
    parts.push_back(part_of(kScriptType, bootstrap_script(bootstrap)));
    return write_mime(parts);
}

// In single quotes, for PowerShell.
std::string for_powershell(std::string_view text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
    return out + "'";
}

std::string windows(const Bootstrap& bootstrap) {
    std::string out = "<powershell>\n";
    if (bootstrap.custom && !bootstrap.custom->empty()) {
        out += *bootstrap.custom;
        if (!out.ends_with('\n')) out += '\n';
    }
    out += "[string]$Bootstrap = \"$env:ProgramFiles\\Amazon\\EKS\\Start-EKSBootstrap.ps1\"\n";
    out += fmt::format("& $Bootstrap -EKSClusterName {} -APIServerEndpoint {}",
                       for_powershell(bootstrap.cluster_name), for_powershell(bootstrap.endpoint));
    if (!bootstrap.ca_bundle.empty()) out += " -Base64ClusterCA " + for_powershell(bootstrap.ca_bundle);
    out += " -KubeletExtraArgs " + for_powershell(kubelet_arguments(bootstrap));
    if (const std::string dns = dns_of(bootstrap); !dns.empty())
        out += " -DNSClusterIP " + for_powershell(dns);
    return out + "\n</powershell>\n";
}

Result<std::string> make(AmiFamily family, const Bootstrap& bootstrap) {
    switch (family) {
        case AmiFamily::kAl2023:
            return al2023(bootstrap);
        case AmiFamily::kAl2:
            return al2(bootstrap);
        case AmiFamily::kBottlerocket:
            return bottlerocket_settings(bootstrap);
        case AmiFamily::kWindows2019:
        case AmiFamily::kWindows2022:
        case AmiFamily::kWindows2025:
            return windows(bootstrap);
        case AmiFamily::kCustom:
            break;
    }
    return bootstrap.custom.value_or("");
}

}  // namespace

std::vector<api::Taint> bootstrap_taints(const std::vector<api::Taint>& taints,
                                         const std::vector<api::Taint>& startup_taints) {
    std::vector<api::Taint> out = taints;
    out.insert(out.end(), startup_taints.begin(), startup_taints.end());
    const bool is_there = std::any_of(out.begin(), out.end(), [](const api::Taint& taint) {
        return taint.key == api::kUnregisteredTaint && taint.effect == api::kNoExecute;
    });
    if (!is_there) {
        api::Taint unregistered;
        unregistered.key = api::kUnregisteredTaint;
        unregistered.effect = api::kNoExecute;
        out.push_back(std::move(unregistered));
    }
    return out;
}

api::StringMap bootstrap_labels(const api::StringMap& labels, std::string_view capacity_type,
                                AmiFamily family) {
    api::StringMap out = labels;
    out.insert_or_assign(std::string(api::kCapacityTypeLabel), std::string(capacity_type));
    if (family != AmiFamily::kCustom) out.insert_or_assign(std::string(api::kDoNotSyncTaintsLabel), "true");
    // A kubelet may not set these of itself; the controller does, once the node is there.
    std::erase_if(out, [](const auto& label) {
        const std::string_view key = label.first;
        const std::string_view domain =
            key.substr(0, key.find('/') == std::string_view::npos ? 0 : key.find('/'));
        for (const std::string_view restricted :
             {"kubernetes.io", "k8s.io", "node-restriction.kubernetes.io"}) {
            if (domain == restricted ||
                (domain.ends_with(restricted) && domain[domain.size() - restricted.size() - 1] == '.'))
                return true;
        }
        return false;
    });
    return out;
}

Result<std::string> make_user_data(AmiFamily family, const Bootstrap& bootstrap) {
    // Right after a start EKS may not have said it yet.
    if (bootstrap.endpoint.empty() && family != AmiFamily::kCustom)
        return fail(ErrorKind::kUnavailable,
                    "the cluster's endpoint is not known yet, without which no node finds it");
    TRY(auto out, make(family, bootstrap));
    if (out.size() > kMostUserData)
        return invalid(
            fmt::format("the user data has {} bytes with what the node needs to join; EC2 takes {}, so "
                        "spec.userData must be {} shorter",
                        out.size(), kMostUserData, out.size() - kMostUserData));
    return out;
}

}  // namespace joiner::cloud::ec2
