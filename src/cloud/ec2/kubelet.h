// The kubelet settings of an EC2NodeClass (spec.kubelet): those that we reckon with, and whether they may be
// used. Every other field of kubelet.config.k8s.io/v1beta1 goes to the node as it is. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/result.h"
#include "cloud/ec2/kubelet_expression.h"
#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

struct KubeletSettings {
    std::optional<int> max_pods;
    std::optional<int> pods_per_core;
    std::vector<std::string> cluster_dns;
    api::StringMap kube_reserved;
    api::StringMap system_reserved;
    // What an instance type's facts decide; it stands in none of the fields above (kubelet_of() puts it
    // there).
    std::optional<KubeletExpression> max_pods_expression;
    std::map<std::string, KubeletExpression> kube_reserved_expressions;
    std::map<std::string, KubeletExpression> system_reserved_expressions;
    api::StringMap eviction_hard;
    api::StringMap eviction_soft;
    api::StringMap eviction_soft_grace_period;  // Durations as written.
    std::optional<int> eviction_max_pod_grace_period;
    std::optional<int> image_gc_high_threshold;
    std::optional<int> image_gc_low_threshold;
    std::optional<bool> cpu_cfs_quota;
    // The whole, as it is written: JSON, keys sorted.
    std::string json = "{}";

    bool has_expressions() const {
        return max_pods_expression || !kube_reserved_expressions.empty() ||
               !system_reserved_expressions.empty();
    }
};

// What is wrong with them, as the condition ValidationSucceeded says it.
struct KubeletMistake {
    std::string reason;  // "InvalidKubeletConfiguration", ...
    std::string message;
};

// Every mistake is told, in one message. `takes_expressions`: the feature gate NodeClassCEL is on; else an
// expression is a mistake.
tl::expected<KubeletSettings, KubeletMistake> parse_kubelet(std::string_view json, AmiFamily family,
                                                            bool takes_expressions = false);

}  // namespace joiner::cloud::ec2
