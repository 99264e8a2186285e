#include "cloud/ec2/launch/launch_template_request.h"

#include <utility>

#include "api/names.h"
#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/user_data/user_data.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::int64_t kGib = std::int64_t{1} << 30;

BlockDevice block_device(const BlockDeviceMapping& mapping) {
    BlockDevice out;
    out.device_name = mapping.device_name.value_or("");
    if (!mapping.ebs) return out;
    const EbsVolume& volume = *mapping.ebs;
    BlockDevice::Ebs ebs;
    ebs.delete_on_termination = volume.delete_on_termination;
    ebs.encrypted = volume.encrypted;
    if (volume.iops.value_or(0) != 0) ebs.iops = volume.iops;
    ebs.kms_key = volume.kms_key.value_or("");
    ebs.snapshot = volume.snapshot.value_or("");
    if (volume.throughput.value_or(0) != 0) ebs.throughput = volume.throughput;
    ebs.initialization_rate = volume.initialization_rate;
    if (volume.size) ebs.size_gib = (volume.size->units_up() + kGib - 1) / kGib;
    ebs.type = volume.type.value_or("");
    out.ebs = std::move(ebs);
    return out;
}

// What is not of an "efa-only" interface, which has no addresses.
void add_addresses(const Ec2NodeClass& node_class, NetworkInterfaceRequest& out) {
    out.has_public_ip = node_class.has_public_ip;
    out.ipv4_prefixes = node_class.ip_prefixes;
    if (!node_class.connection_tracking) return;
    out.tcp_established_timeout = node_class.connection_tracking->tcp_established_timeout;
    out.udp_stream_timeout = node_class.connection_tracking->udp_stream_timeout;
    out.udp_timeout = node_class.connection_tracking->udp_timeout;
}

std::vector<NetworkInterfaceRequest> interfaces(const Ec2NodeClass& node_class, const ClassStatus& status) {
    std::vector<std::string> groups;
    for (const StatusSecurityGroup& group : status.security_groups) groups.push_back(group.id);
    std::vector<NetworkInterface> wanted = node_class.interfaces;
    if (wanted.empty()) wanted.push_back({0, 0, ""});
    std::vector<NetworkInterfaceRequest> out;
    for (const NetworkInterface& each : wanted) {
        NetworkInterfaceRequest request;
        request.card = each.card;
        request.device = each.device;
        request.kind = each.type;
        request.security_groups = groups;
        if (each.type != "efa-only") add_addresses(node_class, request);
        out.push_back(std::move(request));
    }
    return out;
}

MetadataOptions metadata(const Ec2NodeClass& node_class) {
    const MetadataSettings settings = node_class.metadata.value_or(MetadataSettings{});
    return {settings.endpoint.value_or("disabled"), settings.ipv6.value_or("disabled"),
            settings.hop_limit.value_or(2), settings.tokens.value_or("required")};
}

Result<std::string> user_data(const FleetGround& ground, const api::NodeClaim& claim,
                              const rules::InstanceType& type, std::string_view capacity_type) {
    const Ec2NodeClass& node_class = ground.node_class;
    auto kubelet = parse_kubelet(node_class.kubelet, node_class.family);
    if (!kubelet) return fail(ErrorKind::kNotReady, kubelet.error().message);
    Bootstrap out;
    out.cluster_name = ground.settings.cluster_name;
    out.endpoint = ground.settings.cluster_endpoint;
    out.ca_bundle = ground.settings.cluster_ca;
    out.service_cidr = ground.settings.service_cidr;
    out.cluster_dns = ground.settings.cluster_dns;
    out.kubelet = std::move(*kubelet);
    out.max_pods = type.capacity.pods;
    out.taints = bootstrap_taints(claim.taints, claim.startup_taints);
    out.labels = bootstrap_labels(claim.meta.labels, capacity_type, node_class.family);
    out.uses_raid0 = node_class.uses_raid0();
    out.custom = node_class.user_data;
    return make_user_data(node_class.family, out);
}

}  // namespace

Result<LaunchTemplateRequest> make_launch_template(const FleetGround& ground, const api::NodeClaim& claim,
                                                   const rules::InstanceType& type, const StatusImage& image,
                                                   std::string_view capacity_type) {
    const Ec2NodeClass& node_class = ground.node_class;
    LaunchTemplateRequest out;
    out.image_id = image.id;
    TRY(out.user_data, user_data(ground, claim, type, capacity_type));
    out.instance_profile = ground.status.instance_profile;
    out.detailed_monitoring = node_class.detailed_monitoring.value_or(false);
    const std::vector<BlockDeviceMapping> mappings = node_class.block_devices.empty()
                                                         ? default_block_devices(node_class.family)
                                                         : node_class.block_devices;
    for (const BlockDeviceMapping& each : mappings) out.block_devices.push_back(block_device(each));
    out.interfaces = interfaces(node_class, ground.status);
    out.metadata = metadata(node_class);
    out.nested_virtualization = node_class.nested_virtualization.value_or("");
    out.enclaves = node_class.enclaves;
    out.tags = tags_for(node_class, ground.settings, claim);
    out.is_spot = capacity_type == api::kSpot;
    return out;
}

}  // namespace joiner::cloud::ec2
