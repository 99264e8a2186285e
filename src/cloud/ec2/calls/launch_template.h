// A launch template as we ask for it (CreateLaunchTemplate), and as EC2 lists it. What is absent is left out
// of the request, and EC2 decides. Value types; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {

struct BlockDevice {
    std::string device_name;
    // Of EBS. Absent altogether: a mapping that names the device alone.
    struct Ebs {
        std::optional<bool> delete_on_termination = {};
        std::optional<bool> encrypted = {};
        std::optional<std::int64_t> iops = {};
        std::string kms_key = {};
        std::string snapshot = {};
        std::optional<std::int64_t> throughput = {};
        std::optional<std::int32_t> initialization_rate = {};
        std::optional<std::int64_t> size_gib = {};
        std::string type = {};

        friend bool operator==(const Ebs&, const Ebs&) = default;
    };
    std::optional<Ebs> ebs = {};

    friend bool operator==(const BlockDevice&, const BlockDevice&) = default;
};

struct NetworkInterfaceRequest {
    int card = 0;
    int device = 0;
    std::string kind;  // "interface", "efa", "efa-only"; empty: EC2's default.
    std::vector<std::string> security_groups;
    std::optional<bool> has_public_ip;
    std::optional<int> ipv4_prefixes;
    std::optional<int> ipv6_prefixes;
    std::optional<int> ipv6_addresses;
    bool is_primary_ipv6 = false;
    // Seconds, of connection tracking.
    std::optional<int> tcp_established_timeout;
    std::optional<int> udp_stream_timeout;
    std::optional<int> udp_timeout;

    friend bool operator==(const NetworkInterfaceRequest&, const NetworkInterfaceRequest&) = default;
};

struct MetadataOptions {
    std::string endpoint;
    std::string ipv6;  // Empty: not sent.
    std::optional<std::int64_t> hop_limit;
    std::string tokens;

    friend bool operator==(const MetadataOptions&, const MetadataOptions&) = default;
};

struct LaunchTemplateRequest {
    std::string name;
    std::string image_id;
    std::string user_data;  // Plain; base64 on the wire.
    std::string instance_profile;
    bool detailed_monitoring = false;
    std::vector<BlockDevice> block_devices;
    std::vector<NetworkInterfaceRequest> interfaces;
    MetadataOptions metadata;
    std::string nested_virtualization;  // "enabled" or "disabled"; empty: not sent.
    std::optional<bool> enclaves;
    // Placement.
    std::string tenancy;
    std::string placement_group;
    std::optional<int> partition;
    // Capacity reservations. Empty preference: nothing is sent.
    std::string reservation_preference;  // "capacity-reservations-only" or "none".
    std::string reservation_id;
    std::string market_type;  // "capacity-block", "interruptible-capacity-reservation", or empty.
    // Of the template itself, of the network interfaces, and where `is_spot` of the spot requests.
    api::StringMap tags;
    bool is_spot = false;

    friend bool operator==(const LaunchTemplateRequest&, const LaunchTemplateRequest&) = default;
};

struct LaunchTemplate {
    std::string id;
    std::string name;
    WallTime created = kNoTime;
    api::StringMap tags;

    friend bool operator==(const LaunchTemplate&, const LaunchTemplate&) = default;
};

}  // namespace joiner::cloud::ec2
