#include "cloud/ec2/calls/ec2_requests.h"

#include <fmt/format.h>

#include "cloud/ec2/aws/encoding.h"

namespace joiner::cloud::ec2 {
namespace {

using aws::Form;

void add_block_device(Form& form, const std::string& prefix, const BlockDevice& device) {
    form.add_if(prefix + ".DeviceName", device.device_name);
    if (!device.ebs) return;
    const BlockDevice::Ebs& ebs = *device.ebs;
    form.add_if(prefix + ".Ebs.DeleteOnTermination", ebs.delete_on_termination)
        .add_if(prefix + ".Ebs.Encrypted", ebs.encrypted)
        .add_if(prefix + ".Ebs.Iops", ebs.iops)
        .add_if(prefix + ".Ebs.KmsKeyId", ebs.kms_key)
        .add_if(prefix + ".Ebs.SnapshotId", ebs.snapshot)
        .add_if(prefix + ".Ebs.Throughput", ebs.throughput)
        .add_if(prefix + ".Ebs.VolumeSize", ebs.size_gib)
        .add_if(prefix + ".Ebs.VolumeType", ebs.type);
    if (ebs.initialization_rate)
        form.add(prefix + ".Ebs.VolumeInitializationRate", std::int64_t{*ebs.initialization_rate});
}

void add_interface(Form& form, const std::string& prefix, const NetworkInterfaceRequest& interface) {
    form.add(prefix + ".DeviceIndex", interface.device)
        .add(prefix + ".NetworkCardIndex", interface.card)
        .add_if(prefix + ".InterfaceType", interface.kind)
        .add_list(prefix + ".SecurityGroupId", interface.security_groups)
        .add_if(prefix + ".AssociatePublicIpAddress", interface.has_public_ip)
        .add_if(prefix + ".Ipv4PrefixCount", interface.ipv4_prefixes)
        .add_if(prefix + ".Ipv6PrefixCount", interface.ipv6_prefixes)
        .add_if(prefix + ".Ipv6AddressCount", interface.ipv6_addresses);
    if (interface.is_primary_ipv6) form.add(prefix + ".PrimaryIpv6", true);
    const std::string tracking = prefix + ".ConnectionTrackingSpecification.";
    form.add_if(tracking + "TcpEstablishedTimeout", interface.tcp_established_timeout)
        .add_if(tracking + "UdpStreamTimeout", interface.udp_stream_timeout)
        .add_if(tracking + "UdpTimeout", interface.udp_timeout);
}

}  // namespace

void add_filters(Form& form, const Filters& filters) {
    for (std::size_t i = 0; i < filters.size(); ++i) {
        form.add(fmt::format("Filter.{}.Name", i + 1), filters[i].name);
        form.add_list(fmt::format("Filter.{}.Value", i + 1), filters[i].values);
    }
}

void add_tag_specification(Form& form, const std::string& prefix, int number, std::string_view resource,
                           const api::StringMap& tags) {
    const std::string name = fmt::format("{}TagSpecification.{}", prefix, number);
    form.add(name + ".ResourceType", resource).add_tags(name + ".Tag", tags);
}

Form launch_template_form(const LaunchTemplateRequest& request) {
    Form form("CreateLaunchTemplate", kEc2Version);
    // Without a client token: EC2 would not make one again that was made by the same token and deleted since.
    form.add("LaunchTemplateName", request.name);
    add_tag_specification(form, "", 1, "launch-template", request.tags);
    const std::string data = "LaunchTemplateData.";
    form.add_if(data + "ImageId", request.image_id)
        .add_if(data + "UserData", aws::encode_base64(request.user_data))
        .add_if(data + "IamInstanceProfile.Name", request.instance_profile)
        .add(data + "Monitoring.Enabled", request.detailed_monitoring);
    for (std::size_t i = 0; i < request.block_devices.size(); ++i)
        add_block_device(form, fmt::format("{}BlockDeviceMapping.{}", data, i + 1), request.block_devices[i]);
    for (std::size_t i = 0; i < request.interfaces.size(); ++i)
        add_interface(form, fmt::format("{}NetworkInterface.{}", data, i + 1), request.interfaces[i]);
    form.add_if(data + "MetadataOptions.HttpEndpoint", request.metadata.endpoint)
        .add_if(data + "MetadataOptions.HttpProtocolIpv6", request.metadata.ipv6)
        .add_if(data + "MetadataOptions.HttpPutResponseHopLimit", request.metadata.hop_limit)
        .add_if(data + "MetadataOptions.HttpTokens", request.metadata.tokens)
        // The keys of our tags hold characters that the metadata service cannot serve.
        .add(data + "MetadataOptions.InstanceMetadataTags", "disabled")
        .add_if(data + "CpuOptions.NestedVirtualization", request.nested_virtualization)
        .add_if(data + "EnclaveOptions.Enabled", request.enclaves)
        .add_if(data + "Placement.Tenancy", request.tenancy)
        .add_if(data + "Placement.GroupId", request.placement_group)
        .add_if(data + "Placement.PartitionNumber", request.partition)
        .add_if(data + "CapacityReservationSpecification.CapacityReservationPreference",
                request.reservation_preference)
        .add_if(data + "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId",
                request.reservation_id)
        .add_if(data + "InstanceMarketOptions.MarketType", request.market_type);
    add_tag_specification(form, data, 1, "network-interface", request.tags);
    if (request.is_spot) add_tag_specification(form, data, 2, "spot-instances-request", request.tags);
    return form;
}

Form fleet_form(const FleetRequest& request) {
    Form form("CreateFleet", kEc2Version);
    form.add_if("ClientToken", request.client_token)
        .add("Type", "instant")
        .add("TargetCapacitySpecification.TotalTargetCapacity", request.count)
        .add("TargetCapacitySpecification.DefaultTargetCapacityType", request.capacity_type)
        .add_if("Context", request.context);
    if (!request.allocation_strategy.empty()) {
        if (request.capacity_type == "reserved-capacity")
            form.add("ReservedCapacityOptions.ReservationType.1", request.allocation_strategy);
        else
            form.add(request.capacity_type == "spot" ? "SpotOptions.AllocationStrategy"
                                                     : "OnDemandOptions.AllocationStrategy",
                     request.allocation_strategy);
    }
    for (std::size_t i = 0; i < request.templates.size(); ++i) {
        const FleetTemplate& each = request.templates[i];
        const std::string config = fmt::format("LaunchTemplateConfigs.{}.", i + 1);
        form.add(config + "LaunchTemplateSpecification.LaunchTemplateName", each.launch_template)
            .add(config + "LaunchTemplateSpecification.Version", "$Latest");
        for (std::size_t j = 0; j < each.overrides.size(); ++j) {
            const FleetOverride& one = each.overrides[j];
            const std::string prefix = fmt::format("{}Overrides.{}.", config, j + 1);
            form.add(prefix + "InstanceType", one.type)
                .add_if(prefix + "SubnetId", one.subnet)
                .add_if(prefix + "ImageId", one.image_id)
                .add_if(prefix + "AvailabilityZone", one.zone);
            if (one.priority) form.add(prefix + "Priority", fmt::format("{}", *one.priority));
        }
    }
    int number = 0;
    for (const char* resource : {"fleet", "instance", "volume"})
        add_tag_specification(form, "", ++number, resource, request.tags);
    return form;
}

}  // namespace joiner::cloud::ec2
