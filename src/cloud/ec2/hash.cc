#include "cloud/ec2/hash.h"

#include <fmt/format.h>

#include "base/struct_hash.h"

namespace joiner::cloud::ec2 {
namespace {

// Of a pointer: what it points to counts even where that is a zero value.
class Spec : public StructHash {
  public:
    using StructHash::StructHash;

    void maybe_text(std::string_view name, const std::optional<std::string>& value) {
        if (value) field(name, fnv1(*value));
    }
    void maybe_flag(std::string_view name, const std::optional<bool>& value) {
        if (value) field(name, hash_integer<std::uint8_t>(*value ? 1 : 0));
    }
    template <typename Integer>
    void maybe_number(std::string_view name, const std::optional<Integer>& value) {
        if (value) field(name, hash_integer(*value));
    }
};

std::uint64_t hash_of(const EbsVolume& ebs) {
    Spec out("BlockDevice");
    out.maybe_flag("DeleteOnTermination", ebs.delete_on_termination);
    out.maybe_flag("Encrypted", ebs.encrypted);
    out.maybe_number("IOPS", ebs.iops);
    out.maybe_text("KMSKeyID", ebs.kms_key);
    out.maybe_text("SnapshotID", ebs.snapshot);
    out.maybe_number("Throughput", ebs.throughput);
    out.maybe_number("VolumeInitializationRate", ebs.initialization_rate);
    if (ebs.size) out.field("VolumeSize", fnv1(ebs.size->to_string()));
    out.maybe_text("VolumeType", ebs.type);
    return out.value();
}

std::uint64_t hash_of(const BlockDeviceMapping& mapping) {
    Spec out("BlockDeviceMapping");
    out.maybe_text("DeviceName", mapping.device_name);
    if (mapping.ebs) out.field("EBS", hash_of(*mapping.ebs));
    if (mapping.is_root) out.field("RootVolume", hash_integer<std::uint8_t>(1));
    return out.value();
}

std::uint64_t hash_of(const NetworkInterface& one) {
    Spec out("NetworkInterface");
    if (one.card != 0) out.field("NetworkCardIndex", hash_integer(one.card));
    if (one.device != 0) out.field("DeviceIndex", hash_integer(one.device));
    out.text("InterfaceType", one.type);
    return out.value();
}

std::uint64_t hash_of(const MetadataSettings& metadata) {
    Spec out("MetadataOptions");
    out.maybe_text("HTTPEndpoint", metadata.endpoint);
    out.maybe_text("HTTPProtocolIPv6", metadata.ipv6);
    out.maybe_number("HTTPPutResponseHopLimit", metadata.hop_limit);
    out.maybe_text("HTTPTokens", metadata.tokens);
    return out.value();
}

std::uint64_t hash_of(const ConnectionTracking& tracking) {
    Spec out("ConnectionTracking");
    out.maybe_number("TCPEstablishedTimeout", tracking.tcp_established_timeout);
    out.maybe_number("UDPStreamTimeout", tracking.udp_stream_timeout);
    out.maybe_number("UDPTimeout", tracking.udp_timeout);
    return out.value();
}

template <typename T>
std::uint64_t hash_of_all(const std::vector<T>& items) {
    std::uint64_t out = 0;
    for (const T& item : items) out ^= hash_of(item);
    return out;
}

std::uint64_t hash_of(const Ec2NodeClass& node_class) {
    Spec out("EC2NodeClassSpec");
    if (const auto& group = node_class.placement_group) {
        Spec selector("PlacementGroupSelector");
        selector.text("Name", group->name);
        selector.text("ID", group->id);
        out.field("PlacementGroupSelector", selector.value());
    }
    out.maybe_flag("AssociatePublicIPAddress", node_class.has_public_ip);
    out.maybe_text("UserData", node_class.user_data);
    out.text("Role", node_class.role);
    out.maybe_text("InstanceProfile", node_class.instance_profile);
    if (!node_class.tags.empty()) out.field("Tags", hash_string_map(node_class.tags));
    if (!node_class.block_devices.empty())
        out.field("BlockDeviceMappings", hash_of_all(node_class.block_devices));
    out.maybe_text("InstanceStorePolicy", node_class.instance_store_policy);
    if (!node_class.interfaces.empty()) out.field("NetworkInterfaces", hash_of_all(node_class.interfaces));
    out.maybe_flag("DetailedMonitoring", node_class.detailed_monitoring);
    if (node_class.metadata) out.field("MetadataOptions", hash_of(*node_class.metadata));
    if (node_class.enclaves) {
        StructHash enclaves("EnclaveOptions");
        if (*node_class.enclaves) enclaves.field("Enabled", hash_integer<std::uint8_t>(1));
        out.field("EnclaveOptions", enclaves.value());
    }
    if (node_class.connection_tracking)
        out.field("ConnectionTracking", hash_of(*node_class.connection_tracking));
    out.maybe_text("Context", node_class.context);
    if (node_class.has_cpu_options) {
        Spec options("CPUOptions");
        options.maybe_text("NestedVirtualization", node_class.nested_virtualization);
        out.field("CPUOptions", options.value());
    }
    return out.value();
}

// As Go writes JSON: three characters of HTML are escaped.
std::string go_json(std::string_view json) {
    std::string out;
    for (const char c : json) {
        switch (c) {
            case '<':
                out += "\\u003c";
                break;
            case '>':
                out += "\\u003e";
                break;
            case '&':
                out += "\\u0026";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace

std::string node_class_hash(const Ec2NodeClass& node_class, std::string_view ca_bundle) {
    const std::string kubelet = node_class.kubelet == "{}" ? "null" : go_json(node_class.kubelet);
    // A list of four; lists are sets.
    return fmt::format(
        "{}", hash_of(node_class) ^ fnv1(to_string(node_class.family)) ^ fnv1(ca_bundle) ^ fnv1(kubelet));
}

}  // namespace joiner::cloud::ec2
