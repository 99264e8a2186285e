// The kubelet settings of an EC2NodeClass (spec.kubelet): those that we reckon with, and whether they may be
// used. Every other field of kubelet.config.k8s.io/v1beta1 goes to the node as it is. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"
#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

struct KubeletSettings {
    std::optional<int> max_pods;
    std::optional<int> pods_per_core;
    std::vector<std::string> cluster_dns;
    api::StringMap kube_reserved;
    api::StringMap system_reserved;
    api::StringMap eviction_hard;
    api::StringMap eviction_soft;
    api::StringMap eviction_soft_grace_period;  // Durations as written.
    std::optional<int> eviction_max_pod_grace_period;
    std::optional<int> image_gc_high_threshold;
    std::optional<int> image_gc_low_threshold;
    std::optional<bool> cpu_cfs_quota;
    // The whole, as the node gets it: JSON, keys sorted.
    std::string json = "{}";
};

// What is wrong with them, as the condition ValidationSucceeded says it.
struct KubeletMistake {
    std::string reason;  // "InvalidKubeletConfiguration", ...
    std::string message;
};

// Every mistake is told, in one message.
tl::expected<KubeletSettings, KubeletMistake> parse_kubelet(std::string_view json, AmiFamily family);

}  // namespace joiner::cloud::ec2
