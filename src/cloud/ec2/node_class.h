// What an EC2NodeClass says (karpenter.k8s.aws/v1), as values. The CRD's rules keep most mistakes out; what
// would do harm if it came past them is refused here as well, with the field named. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/quantity.h"
#include "base/result.h"

namespace joiner::cloud::ec2 {

enum class AmiFamily { kAl2, kAl2023, kBottlerocket, kWindows2019, kWindows2022, kWindows2025, kCustom };

// "AL2023", as the field amiFamily spells it.
const char* to_string(AmiFamily family);

struct AmiTerm {
    std::string alias;  // "al2023@latest".
    std::string id;
    std::string name;
    std::string owner;
    std::string ssm_parameter;
    api::StringMap tags;  // A value "*" asks for the key alone; so in every term.
};

struct SubnetTerm {
    std::string id;
    api::StringMap tags;
};

struct SecurityGroupTerm {
    std::string id;
    std::string name;
    api::StringMap tags;
};

struct ReservationTerm {
    std::string id;
    std::string owner;
    std::string match_criteria;  // "open" or "targeted".
    api::StringMap tags;
};

struct PlacementGroupSelector {
    std::string name;
    std::string id;
};

struct EbsVolume {
    std::optional<bool> delete_on_termination;
    std::optional<bool> encrypted;
    std::optional<std::int64_t> iops;
    std::optional<std::string> kms_key;
    std::optional<std::string> snapshot;
    std::optional<std::int64_t> throughput;
    std::optional<std::int32_t> initialization_rate;
    std::optional<Quantity> size;
    std::optional<std::string> type;
};

struct BlockDeviceMapping {
    std::optional<std::string> device_name;
    std::optional<EbsVolume> ebs;
    bool is_root = false;
};

struct NetworkInterface {
    std::int32_t card = 0;
    std::int32_t device = 0;
    std::string type;  // "interface" or "efa-only".
};

// Absent fields are the CRD's defaults where an object came past the CRD without them.
struct MetadataSettings {
    std::optional<std::string> endpoint;
    std::optional<std::string> ipv6;
    std::optional<std::int64_t> hop_limit;
    std::optional<std::string> tokens;
};

struct ConnectionTracking {
    std::optional<std::int32_t> tcp_established_timeout;  // Seconds, as the two below.
    std::optional<std::int32_t> udp_stream_timeout;
    std::optional<std::int32_t> udp_timeout;
};

struct Ec2NodeClass {
    std::string name;
    AmiFamily family = AmiFamily::kCustom;  // Of the field, else of the alias.
    std::vector<AmiTerm> amis;
    std::vector<SubnetTerm> subnets;
    std::vector<SecurityGroupTerm> security_groups;
    std::vector<ReservationTerm> reservations;
    std::optional<PlacementGroupSelector> placement_group;
    std::optional<bool> has_public_ip;
    std::optional<std::int32_t> ip_prefixes;
    std::optional<std::string> user_data;
    std::string role;
    std::optional<std::string> instance_profile;
    api::StringMap tags;
    std::string kubelet = "{}";  // JSON; keys sorted, no blanks.
    std::vector<BlockDeviceMapping> block_devices;
    std::optional<std::string> instance_store_policy;  // "RAID0".
    std::vector<NetworkInterface> interfaces;
    std::optional<bool> detailed_monitoring;
    std::optional<MetadataSettings> metadata;
    std::optional<bool> enclaves;
    std::optional<ConnectionTracking> connection_tracking;
    std::optional<std::string> context;
    // Of cpuOptions, which may be there without it.
    bool has_cpu_options = false;
    std::optional<std::string> nested_virtualization;  // "enabled" or "disabled".

    bool uses_raid0() const { return instance_store_policy == "RAID0"; }
};

// kInvalid names the first field that is wrong: "spec.blockDeviceMappings[0].ebs.volumeSize: …".
Result<Ec2NodeClass> parse_node_class(const api::NodeClass& node_class);

}  // namespace joiner::cloud::ec2
