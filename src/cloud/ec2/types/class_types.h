// What can be bought with one class: the region's types as nodes of the class, in the zones where it has
// subnets, for the prices that are known. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "cloud/ec2/class_status.h"
#include "cloud/ec2/node_class.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/region_types.h"
#include "rules/instance_type.h"

namespace joiner::cloud::ec2 {

// By name. Types for which the class has no image are left out. kInvalid: the class's kubelet settings cannot
// be used.
Result<std::vector<rules::InstanceType>> make_class_types(const RegionFacts& facts, const std::string& region,
                                                          const Ec2NodeClass& node_class,
                                                          const ClassStatus& status,
                                                          const Settings& settings);

}  // namespace joiner::cloud::ec2
