#include "cloud/ec2/user_data/kubelet_arguments.h"

#include <fmt/format.h>

#include <vector>

namespace joiner::cloud::ec2 {

std::string joined(const api::StringMap& map, char between) {
    std::string out;
    for (const auto& [key, value] : map)
        out += fmt::format("{}{}{}{}", out.empty() ? "" : ",", key, between, value);
    return out;
}

std::string joined(const std::vector<api::Taint>& taints) {
    std::string out;
    for (const api::Taint& taint : taints)
        out += fmt::format("{}{}={}:{}", out.empty() ? "" : ",", taint.key, taint.value, taint.effect);
    return out;
}

std::string kubelet_arguments(const Bootstrap& bootstrap) {
    const KubeletSettings& kubelet = bootstrap.kubelet;
    std::vector<std::string> out;
    const auto add = [&](std::string_view flag, const std::string& value) {
        if (!value.empty()) out.push_back(fmt::format("--{}={}", flag, value));
    };
    const auto add_quoted = [&](std::string_view flag, const std::string& value) {
        if (!value.empty()) out.push_back(fmt::format("--{}=\"{}\"", flag, value));
    };
    const auto add_number = [&](std::string_view flag, const std::optional<int>& value) {
        if (value) out.push_back(fmt::format("--{}={}", flag, *value));
    };
    add_quoted("node-labels", joined(bootstrap.labels, '='));
    add_quoted("register-with-taints", joined(bootstrap.taints));
    out.push_back(fmt::format("--max-pods={}", bootstrap.max_pods));
    add_number("pods-per-core", kubelet.pods_per_core);
    add("system-reserved", joined(kubelet.system_reserved, '='));
    add("kube-reserved", joined(kubelet.kube_reserved, '='));
    add("eviction-hard", joined(kubelet.eviction_hard, '<'));
    add("eviction-soft", joined(kubelet.eviction_soft, '<'));
    add("eviction-soft-grace-period", joined(kubelet.eviction_soft_grace_period, '='));
    add_number("eviction-max-pod-grace-period", kubelet.eviction_max_pod_grace_period);
    add_number("image-gc-high-threshold", kubelet.image_gc_high_threshold);
    add_number("image-gc-low-threshold", kubelet.image_gc_low_threshold);
    if (kubelet.cpu_cfs_quota) out.push_back(fmt::format("--cpu-cfs-quota={}", *kubelet.cpu_cfs_quota));
    return fmt::format("{}", fmt::join(out, " "));
}

std::string dns_of(const Bootstrap& bootstrap) {
    return bootstrap.kubelet.cluster_dns.empty() ? bootstrap.cluster_dns
                                                 : bootstrap.kubelet.cluster_dns.front();
}

std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    return out + "'";
}

}  // namespace joiner::cloud::ec2
