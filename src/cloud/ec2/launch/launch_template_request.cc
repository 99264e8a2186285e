#include "cloud/ec2/launch/launch_template_request.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/reservations/reservation_rules.h"
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
void add_addresses(const Ec2NodeClass& node_class, bool is_ipv6, NetworkInterfaceRequest& out) {
    out.has_public_ip = node_class.has_public_ip;
    if (is_ipv6) {
        out.is_primary_ipv6 = true;
        out.ipv6_addresses = 1;
        out.ipv6_prefixes = node_class.ip_prefixes;
    } else {
        out.ipv4_prefixes = node_class.ip_prefixes;
    }
    if (!node_class.connection_tracking) return;
    out.tcp_established_timeout = node_class.connection_tracking->tcp_established_timeout;
    out.udp_stream_timeout = node_class.connection_tracking->udp_stream_timeout;
    out.udp_timeout = node_class.connection_tracking->udp_timeout;
}

// An address of a v6 cluster, as its services have.
bool has_ipv6(const Settings& settings) {
    return settings.service_cidr.find(':') != std::string::npos ||
           settings.cluster_dns.find(':') != std::string::npos;
}

// Those of the class; else one for each EFA that the claim asks for; else a plain one.
std::vector<NetworkInterface> wanted_interfaces(const Ec2NodeClass& node_class, int efa_interfaces) {
    std::vector<NetworkInterface> out = node_class.interfaces;
    for (int card = 0; card < efa_interfaces; ++card) out.push_back({card, card == 0 ? 0 : 1, "efa"});
    if (out.empty()) out.push_back({0, 0, ""});
    return out;
}

std::vector<NetworkInterfaceRequest> interfaces(const FleetGround& ground, int efa_interfaces) {
    const Ec2NodeClass& node_class = ground.node_class;
    std::vector<std::string> groups;
    for (const StatusSecurityGroup& group : ground.status.security_groups) groups.push_back(group.id);
    std::vector<NetworkInterfaceRequest> out;
    for (const NetworkInterface& each : wanted_interfaces(node_class, efa_interfaces)) {
        NetworkInterfaceRequest request;
        request.card = each.card;
        request.device = each.device;
        request.kind = each.type;
        request.security_groups = groups;
        if (each.type != "efa-only") add_addresses(node_class, has_ipv6(ground.settings), request);
        out.push_back(std::move(request));
    }
    return out;
}

MetadataOptions metadata(const Ec2NodeClass& node_class) {
    const MetadataSettings settings = node_class.metadata.value_or(MetadataSettings{});
    return {settings.endpoint.value_or("disabled"), settings.ipv6.value_or("disabled"),
            settings.hop_limit.value_or(2), settings.tokens.value_or("required")};
}

// In a v6 cluster the image cannot find it; EKS puts it at the tenth address of the services.
std::string cluster_dns(const Settings& settings) {
    const std::size_t end = settings.service_cidr.find("::/");
    if (!settings.cluster_dns.empty() || end == std::string::npos) return settings.cluster_dns;
    return settings.service_cidr.substr(0, end) + "::a";
}

Result<std::string> user_data(const FleetGround& ground, const api::NodeClaim& claim,
                              const rules::InstanceType& type, const KubeletSettings& kubelet,
                              std::string_view capacity_type) {
    const Ec2NodeClass& node_class = ground.node_class;
    Bootstrap out;
    out.cluster_name = ground.settings.cluster_name;
    out.endpoint = ground.settings.cluster_endpoint;
    out.ca_bundle = ground.settings.cluster_ca;
    out.service_cidr = ground.settings.service_cidr;
    out.cluster_dns = cluster_dns(ground.settings);
    out.kubelet = kubelet;
    out.max_pods = type.capacity.pods;
    out.taints = bootstrap_taints(claim.taints, claim.startup_taints);
    out.labels = bootstrap_labels(claim.meta.labels, capacity_type, node_class.family);
    out.uses_raid0 = node_class.uses_raid0();
    out.custom = node_class.user_data;
    return make_user_data(node_class.family, out);
}

// What is not launched into a reservation keeps out of open ones, which others may count on.
void set_reservation(const StatusReservation* reservation, LaunchTemplateRequest& out) {
    if (reservation == nullptr) {
        out.reservation_preference = "none";
        return;
    }
    out.reservation_preference = kReservationsOnly;
    out.reservation_id = reservation->id;
    switch (kind_of(*reservation)) {
        case ReservationKind::kDefault:
            break;
        case ReservationKind::kCapacityBlock:
            out.market_type = "capacity-block";
            break;
        case ReservationKind::kInterruptible:
            out.market_type = "interruptible-capacity-reservation";
            break;
    }
}

// The least of the values that the claim asks of the label, by their text; empty: it asks for none.
std::string first_wanted(const api::NodeClaim& claim, std::string_view label) {
    std::string out;
    for (const api::SelectorRequirement& each : claim.requirements) {
        if (each.key != label || each.op != "In" || each.values.empty()) continue;
        out = *std::min_element(each.values.begin(), each.values.end());
    }
    return out;
}

void place(const FleetGround& ground, const api::NodeClaim& claim, LaunchTemplateRequest& out) {
    if (must_be_dedicated(claim)) out.tenancy = "dedicated";
    if (!ground.placement_group) return;
    out.placement_group = ground.placement_group->id;
    const std::string partition = first_wanted(claim, kPartitionLabel);
    int number = 0;
    const char* end = partition.data() + partition.size();
    if (std::from_chars(partition.data(), end, number).ptr == end && number > 0) out.partition = number;
}

}  // namespace

bool must_be_dedicated(const api::NodeClaim& claim) {
    const auto requirements = rules::make_requirements(claim.requirements);
    if (!requirements) return false;
    const rules::Requirement* tenancy = requirements->find(kTenancyLabel);
    return tenancy != nullptr && !tenancy->allows(kDefaultTenancy);
}

bool wants_efa(const api::NodeClaim& claim) {
    return rules::as_request(claim.requests).get(kEfaResource) != 0;
}

int efa_interfaces(const Ec2NodeClass& node_class, const api::NodeClaim& claim,
                   const rules::InstanceType& type) {
    if (!node_class.interfaces.empty() || !wants_efa(claim)) return 0;
    return static_cast<int>(type.capacity.get(kEfaResource));
}

Result<LaunchTemplateRequest> make_launch_template(const FleetGround& ground, const api::NodeClaim& claim,
                                                   const rules::InstanceType& type,
                                                   const KubeletSettings& kubelet, const StatusImage& image,
                                                   std::string_view capacity_type,
                                                   const StatusReservation* reservation) {
    const Ec2NodeClass& node_class = ground.node_class;
    LaunchTemplateRequest out;
    out.image_id = image.id;
    TRY(out.user_data, user_data(ground, claim, type, kubelet, capacity_type));
    out.instance_profile = ground.status.instance_profile;
    out.detailed_monitoring = node_class.detailed_monitoring.value_or(false);
    const std::vector<BlockDeviceMapping> mappings = node_class.block_devices.empty()
                                                         ? default_block_devices(node_class.family)
                                                         : node_class.block_devices;
    for (const BlockDeviceMapping& each : mappings) out.block_devices.push_back(block_device(each));
    out.interfaces = interfaces(ground, efa_interfaces(node_class, claim, type));
    out.metadata = metadata(node_class);
    out.nested_virtualization = node_class.nested_virtualization.value_or("");
    out.enclaves = node_class.enclaves;
    place(ground, claim, out);
    out.tags = tags_for(node_class, ground.settings, claim);
    out.is_spot = capacity_type == api::kSpot;
    if (ground.settings.reserved_capacity) set_reservation(reservation, out);
    return out;
}

}  // namespace joiner::cloud::ec2
