// What an instance is told at its start, so that it joins the cluster as its NodeClaim says. One form for
// each family of images; what users add comes along. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"
#include "api/meta.h"
#include "base/result.h"
#include "cloud/ec2/kubelet.h"
#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

// EC2 takes no more, before base64.
inline constexpr std::size_t kMostUserData = 16'384;

struct Bootstrap {
    std::string cluster_name;
    std::string endpoint;
    std::string ca_bundle;     // Base64.
    std::string service_cidr;  // AL2023 wants it.
    std::string cluster_dns;   // Where the kubelet settings name none; may be empty.
    KubeletSettings kubelet;
    std::int64_t max_pods = 0;
    std::vector<api::Taint> taints;
    api::StringMap labels;
    bool uses_raid0 = false;
    // Bottlerocket: the image knows by itself which folders belong on the local disks.
    bool knows_its_folders = false;
    std::optional<std::string> custom;
};

// The claim's taints and startup taints, and the one that keeps pods off until the node is known.
std::vector<api::Taint> bootstrap_taints(const std::vector<api::Taint>& taints,
                                         const std::vector<api::Taint>& startup_taints);
// Those of the claim's labels that a kubelet may set of its own node.
api::StringMap bootstrap_labels(const api::StringMap& labels, std::string_view capacity_type,
                                AmiFamily family);

// Plain text. kNotReady: the cluster is not known yet; kInvalid: what the user wrote cannot be used, or it is
// too long.
Result<std::string> make_user_data(AmiFamily family, const Bootstrap& bootstrap);

}  // namespace joiner::cloud::ec2
