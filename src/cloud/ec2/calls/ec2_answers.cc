#include "cloud/ec2/calls/ec2_answers.h"

#include "cloud/ec2/calls/xml_reader.h"

namespace joiner::cloud::ec2 {
namespace {

std::vector<Accelerator> accelerators_of(const pugi::xml_node& info, const char* list) {
    std::vector<Accelerator> out;
    for (const pugi::xml_node& item : info.child(list).children("item"))
        out.push_back({text_of(item, "name"), text_of(item, "manufacturer"), count_of(item, "count"),
                       number_of(item.child("memoryInfo"), "sizeInMiB")});
    return out;
}

void read_network(const pugi::xml_node& info, InstanceTypeInfo& out) {
    out.max_interfaces = count_of(info, "maximumNetworkInterfaces");
    out.ipv4_addresses = count_of(info, "ipv4AddressesPerInterface");
    out.ipv6_addresses = count_of(info, "ipv6AddressesPerInterface");
    out.has_ipv6 = flag_of(info, "ipv6Supported");
    out.default_card = count_of(info, "defaultNetworkCardIndex");
    out.network_performance = text_of(info, "networkPerformance");
    out.ena = text_of(info, "enaSupport");
    out.has_efa = flag_of(info, "efaSupported");
    out.max_efa_interfaces = count_of(info.child("efaInfo"), "maximumEfaInterfaces");
    out.encrypts_in_transit = flag_of(info, "encryptionInTransitSupported");
    for (const pugi::xml_node& card : info.child("networkCards").children("item"))
        out.cards.push_back({count_of(card, "networkCardIndex"), count_of(card, "maximumNetworkInterfaces"),
                             card.child("baselineBandwidthInGbps").text().as_double(),
                             card.child("peakBandwidthInGbps").text().as_double(),
                             text_of(card, "networkPerformance")});
}

void read_disks(const pugi::xml_node& info, InstanceTypeInfo& out) {
    out.local_disk_gb = number_of(info, "totalSizeInGB");
    out.local_disk_nvme = text_of(info, "nvmeSupport");
    for (const pugi::xml_node& disk : info.child("disks").children("item"))
        out.local_disks.push_back(
            {number_of(disk, "sizeInGB"), count_of(disk, "count"), text_of(disk, "type")});
}

void read_ebs(const pugi::xml_node& info, InstanceTypeInfo& out) {
    out.ebs_optimized = text_of(info, "ebsOptimizedSupport");
    out.ebs_baseline_mbps = number_of(info.child("ebsOptimizedInfo"), "baselineBandwidthInMbps");
    out.ebs_max_mbps = number_of(info.child("ebsOptimizedInfo"), "maximumBandwidthInMbps");
    out.max_ebs_attachments = count_of(info, "maximumEbsAttachments");
    out.ebs_attachment_limit = text_of(info, "attachmentLimitType");
}

FleetOverride read_override(const pugi::xml_node& overrides) {
    FleetOverride out = {text_of(overrides, "instanceType"), text_of(overrides, "availabilityZone"),
                         text_of(overrides, "subnetId"), text_of(overrides, "imageId"), std::nullopt};
    if (const pugi::xml_node priority = overrides.child("priority"))
        out.priority = priority.text().as_double();
    return out;
}

StatusCheck read_check(const pugi::xml_node& node) {
    StatusCheck out = {text_of(node, "status"), {}, std::nullopt};
    for (const pugi::xml_node& detail : node.child("details").children("item")) {
        if (text_of(detail, "status") != "failed") continue;
        out.failed.push_back(text_of(detail, "name"));
        const auto since = time_of(detail, "impairedSince");
        if (since && (!out.impaired_since || *since < *out.impaired_since)) out.impaired_since = since;
    }
    return out;
}

}  // namespace

InstanceTypeInfo read_instance_type(const pugi::xml_node& item) {
    InstanceTypeInfo out;
    out.name = text_of(item, "instanceType");
    out.is_current_generation = flag_of(item, "currentGeneration");
    out.is_bare_metal = flag_of(item, "bareMetal");
    out.is_burstable = flag_of(item, "burstablePerformanceSupported");
    out.hypervisor = text_of(item, "hypervisor");
    out.usage_classes = texts_of(item, "supportedUsageClasses");
    out.placement_strategies = texts_of(item.child("placementGroupInfo"), "supportedStrategies");
    const pugi::xml_node processor = item.child("processorInfo");
    out.architectures = texts_of(processor, "supportedArchitectures");
    out.processor_manufacturer = text_of(processor, "manufacturer");
    out.processor_features = texts_of(processor, "supportedFeatures");
    out.clock_ghz = processor.child("sustainedClockSpeedInGhz").text().as_double();
    out.vcpus = count_of(item.child("vCpuInfo"), "defaultVCpus");
    out.cores = count_of(item.child("vCpuInfo"), "defaultCores");
    out.memory_mib = number_of(item.child("memoryInfo"), "sizeInMiB");
    read_network(item.child("networkInfo"), out);
    read_ebs(item.child("ebsInfo"), out);
    read_disks(item.child("instanceStorageInfo"), out);
    out.gpus = accelerators_of(item.child("gpuInfo"), "gpus");
    out.inference_accelerators = accelerators_of(item.child("inferenceAcceleratorInfo"), "accelerators");
    out.fpgas = accelerators_of(item.child("fpgaInfo"), "fpgas");
    out.media_accelerators = accelerators_of(item.child("mediaAcceleratorInfo"), "accelerators");
    for (const pugi::xml_node& device : item.child("neuronInfo").child("neuronDevices").children("item"))
        out.neuron_devices.push_back({text_of(device, "name"), count_of(device, "count"),
                                      count_of(device.child("coreInfo"), "count"),
                                      number_of(device.child("memoryInfo"), "sizeInMiB")});
    out.has_enclaves = text_of(item, "nitroEnclavesSupport") == "supported";
    return out;
}

TypeInZone read_type_in_zone(const pugi::xml_node& item) {
    return {text_of(item, "instanceType"), text_of(item, "location")};
}

SpotPrice read_spot_price(const pugi::xml_node& item) {
    return {text_of(item, "instanceType"), text_of(item, "availabilityZone"),
            rules::Money::from_dollars(item.child("spotPrice").text().as_double()),
            time_of(item, "timestamp").value_or(kNoTime)};
}

Subnet read_subnet(const pugi::xml_node& item) {
    return {text_of(item, "subnetId"),
            text_of(item, "vpcId"),
            text_of(item, "availabilityZone"),
            text_of(item, "availabilityZoneId"),
            count_of(item, "availableIpAddressCount"),
            tags_of(item)};
}

SecurityGroup read_security_group(const pugi::xml_node& item) {
    return {text_of(item, "groupId"), text_of(item, "groupName"), text_of(item, "vpcId"), tags_of(item)};
}

Image read_image(const pugi::xml_node& item) {
    return {text_of(item, "imageId"),         text_of(item, "name"),
            text_of(item, "imageOwnerId"),    text_of(item, "architecture"),
            text_of(item, "imageState"),      time_of(item, "creationDate").value_or(kNoTime),
            time_of(item, "deprecationTime"), tags_of(item)};
}

PlacementGroup read_placement_group(const pugi::xml_node& item) {
    return {text_of(item, "groupId"), text_of(item, "groupName"), text_of(item, "strategy"),
            text_of(item, "state"), count_of(item, "partitionCount")};
}

CapacityReservation read_capacity_reservation(const pugi::xml_node& item) {
    CapacityReservation out;
    out.id = text_of(item, "capacityReservationId");
    out.owner = text_of(item, "ownerId");
    out.type = text_of(item, "instanceType");
    out.zone = text_of(item, "availabilityZone");
    out.zone_id = text_of(item, "availabilityZoneId");
    out.match_criteria = text_of(item, "instanceMatchCriteria");
    out.kind = text_of(item, "reservationType");
    if (out.kind.empty()) out.kind = "default";
    out.state = text_of(item, "state");
    out.is_interruptible = flag_of(item, "interruptible");
    out.available = count_of(item, "availableInstanceCount");
    out.total = count_of(item, "totalInstanceCount");
    out.ends = time_of(item, "endDate");
    out.tags = tags_of(item);
    return out;
}

ReservedInstances read_reserved_instances(const pugi::xml_node& item) {
    ReservedInstances out;
    out.id = text_of(item, "reservedInstancesId");
    out.type = text_of(item, "instanceType");
    out.scope = text_of(item, "scope");
    out.zone = text_of(item, "availabilityZone");
    out.product = text_of(item, "productDescription");
    out.tenancy = text_of(item, "instanceTenancy");
    out.state = text_of(item, "state");
    out.count = count_of(item, "instanceCount");
    out.ends = time_of(item, "end");
    return out;
}

LaunchTemplate read_launch_template(const pugi::xml_node& item) {
    return {text_of(item, "launchTemplateId"), text_of(item, "launchTemplateName"),
            time_of(item, "createTime").value_or(kNoTime), tags_of(item)};
}

InstanceInfo read_instance(const pugi::xml_node& item) {
    InstanceInfo out;
    out.id = text_of(item, "instanceId");
    out.state = text_of(item.child("instanceState"), "name");
    out.type = text_of(item, "instanceType");
    const pugi::xml_node placement = item.child("placement");
    out.zone = text_of(placement, "availabilityZone");
    out.zone_id = text_of(placement, "availabilityZoneId");
    out.tenancy = text_of(placement, "tenancy");
    out.placement_group_id = text_of(placement, "groupId");
    if (placement.child("partitionNumber")) out.partition = count_of(placement, "partitionNumber");
    out.image_id = text_of(item, "imageId");
    out.subnet = text_of(item, "subnetId");
    out.vpc = text_of(item, "vpcId");
    out.private_dns_name = text_of(item, "privateDnsName");
    out.platform = text_of(item, "platform");
    out.lifecycle = text_of(item, "instanceLifecycle");
    out.spot_request = text_of(item, "spotInstanceRequestId");
    out.reservation_id = text_of(item, "capacityReservationId");
    out.reservation_preference =
        text_of(item.child("capacityReservationSpecification"), "capacityReservationPreference");
    out.instance_profile_arn = text_of(item.child("iamInstanceProfile"), "arn");
    for (const pugi::xml_node& group : item.child("groupSet").children("item"))
        out.security_groups.push_back(text_of(group, "groupId"));
    for (const pugi::xml_node& interface : item.child("networkInterfaceSet").children("item")) {
        const std::string kind = text_of(interface, "interfaceType");
        if (kind == "efa" || kind == "efa-only") ++out.efa_interfaces;
    }
    out.launched = time_of(item, "launchTime").value_or(kNoTime);
    out.tags = tags_of(item);
    return out;
}

InstanceHealth read_health(const pugi::xml_node& item) {
    InstanceHealth out;
    out.id = text_of(item, "instanceId");
    out.zone = text_of(item, "availabilityZone");
    out.instance = read_check(item.child("instanceStatus"));
    out.system = read_check(item.child("systemStatus"));
    for (const pugi::xml_node& event : item.child("eventsSet").children("item"))
        out.events.push_back(
            {text_of(event, "code"), text_of(event, "description"), time_of(event, "notBefore")});
    return out;
}

FleetAnswer read_fleet(const pugi::xml_node& root) {
    FleetAnswer out;
    out.fleet_id = text_of(root, "fleetId");
    for (const pugi::xml_node& item : root.child("fleetInstanceSet").children("item")) {
        const pugi::xml_node taken = item.child("launchTemplateAndOverrides");
        out.instances.push_back({texts_of(item, "instanceIds"), text_of(item, "instanceType"),
                                 text_of(item, "lifecycle"), read_override(taken.child("overrides")),
                                 text_of(taken.child("launchTemplateSpecification"), "launchTemplateName")});
    }
    for (const pugi::xml_node& item : root.child("errorSet").children("item")) {
        const pugi::xml_node tried = item.child("launchTemplateAndOverrides");
        out.errors.push_back({text_of(item, "errorCode"), text_of(item, "errorMessage"),
                              text_of(item, "lifecycle"), read_override(tried.child("overrides")),
                              text_of(tried.child("launchTemplateSpecification"), "launchTemplateName")});
    }
    return out;
}

}  // namespace joiner::cloud::ec2
