// EC2's answers in XML, as structs: one item of a list each, and the answer to CreateFleet. What is unknown
// in them is skipped. Pure.
#pragma once

#include <pugixml.hpp>

#include "cloud/ec2/calls/commitment_answers.h"
#include "cloud/ec2/calls/fleet.h"
#include "cloud/ec2/calls/image.h"
#include "cloud/ec2/calls/instance.h"
#include "cloud/ec2/calls/instance_type_info.h"
#include "cloud/ec2/calls/launch_template.h"
#include "cloud/ec2/calls/network.h"
#include "cloud/ec2/calls/prices.h"

namespace joiner::cloud::ec2 {

InstanceTypeInfo read_instance_type(const pugi::xml_node& item);
TypeInZone read_type_in_zone(const pugi::xml_node& item);
SpotPrice read_spot_price(const pugi::xml_node& item);
Subnet read_subnet(const pugi::xml_node& item);
SecurityGroup read_security_group(const pugi::xml_node& item);
Image read_image(const pugi::xml_node& item);
PlacementGroup read_placement_group(const pugi::xml_node& item);
CapacityReservation read_capacity_reservation(const pugi::xml_node& item);
ReservedInstances read_reserved_instances(const pugi::xml_node& item);
LaunchTemplate read_launch_template(const pugi::xml_node& item);
InstanceInfo read_instance(const pugi::xml_node& item);
InstanceHealth read_health(const pugi::xml_node& item);
FleetAnswer read_fleet(const pugi::xml_node& root);

}  // namespace joiner::cloud::ec2
