// What a type of EC2 holds as a node of one class: capacity, and what the node keeps for itself. The rules
// are those of EKS's images and of upstream, so that plans and nodes agree with what the kubelet will say.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/ec2/calls/instance_type_info.h"
#include "cloud/ec2/kubelet.h"
#include "cloud/ec2/node_class.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/type_labels.h"
#include "rules/instance_type.h"

namespace joiner::cloud::ec2 {

// What no call of EC2 says; tables of ours.
struct TableFacts {
    std::int64_t network_mbps = 0;  // Baseline; 0: not known.
    int branch_interfaces = 0;      // That a trunk carries; 0: no trunk.
};

// What the class and the settings decide.
struct NodeShape {
    AmiFamily family = AmiFamily::kAl2023;
    KubeletSettings kubelet;
    std::vector<BlockDeviceMapping> block_devices;  // Empty: the family's.
    bool uses_raid0 = false;
    std::vector<NetworkInterface> interfaces;
    double memory_overhead = 0.075;  // Share of the memory that the hypervisor keeps.
    int reserved_interfaces = 0;
    std::string region;
    std::string_view label_domain = kLabelDomain;
};

// The region is left out.
NodeShape shape_of(const Ec2NodeClass& node_class, KubeletSettings kubelet, const Settings& settings);

const NetworkCard* default_card(const InstanceTypeInfo& info);  // nullptr: not said.

// Pods that a node takes, by the settings that are no expressions.
std::int64_t pods_of(const InstanceTypeInfo& info, const NodeShape& shape);

// Pods that get an address of their own, of the default network card; 0 where no interface is left.
std::int64_t pods_by_addresses(const InstanceTypeInfo& info, int reserved_interfaces,
                               int efa_only_interfaces);

// Without zones, capacity types and offerings. `seen_memory`: bytes that a node of this type and image said
// it has; it stands for the estimate.
rules::InstanceType make_instance_type(const InstanceTypeInfo& info, const TableFacts& facts,
                                       const NodeShape& shape, std::optional<std::int64_t> seen_memory = {});

// Why nodes of the class cannot be of the type; empty: they can.
std::string why_incompatible(const InstanceTypeInfo& info, const Ec2NodeClass& node_class,
                             std::string_view placement_strategy = {});

}  // namespace joiner::cloud::ec2
