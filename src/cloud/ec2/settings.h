// What the provider is told at start-up. Names and defaults are Karpenter's. A value; any thread.
#pragma once

#include <string>

#include "base/time.h"

namespace joiner::cloud::ec2 {

struct Settings {
    std::string cluster_name;
    std::string cluster_endpoint = {};  // Empty: asked for at EKS.
    std::string cluster_ca = {};        // Base64.
    std::string service_cidr = {};      // Empty: asked for at EKS.
    std::string cluster_dns = {};       // Empty: the image finds it.
    std::string kubernetes = {};        // "1.34"; empty: asked for.
    bool eks_control_plane = false;     // Kubernetes' version is asked for at EKS, not at the API server.
    std::string region = {};            // Where AWS's own variables and files name none.
    bool isolated_vpc = false;
    double vm_memory_overhead = 0.075;
    std::string interruption_queue = {};  // Empty: none is read.
    int reserved_enis = 0;
    bool disable_dry_run = false;
    bool reserved_capacity = true;  // Karpenter's feature gate ReservedCapacity.
    bool enable_zonal_shift = false;
    bool account_commitments = false;  // Ask what the account has paid for already.
    bool legacy_node_repair = false;
    // Of --aws-feature-gates.
    bool reboot_for_repair = false;
    bool node_class_cel = false;
    // For how long what selectors find is not asked for anew.
    Duration ami_refresh = std::chrono::minutes{1};
    Duration subnet_refresh = std::chrono::minutes{1};
    Duration security_group_refresh = std::chrono::minutes{1};
};

}  // namespace joiner::cloud::ec2
