// What can be bought with one class: the region's types as nodes of the class, in the zones where it has
// subnets, for the prices that are known. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cloud/ec2/class_status.h"
#include "cloud/ec2/node_class.h"
#include "cloud/ec2/reservations/reservation_book.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/learned_memory.h"
#include "cloud/ec2/types/region_types.h"
#include "rules/instance_type.h"

namespace joiner::cloud::ec2 {

// By name. `group`: that the class selects; nullopt: none. Types for which the class has no image are left
// out. `learned`: memory that stands for the reckoned one, where the class's image for the type is the one
// that it was learned of. kInvalid: the class's kubelet settings cannot be used, or not for one of the types.
Result<std::vector<rules::InstanceType>> make_class_types(const RegionFacts& facts, const std::string& region,
                                                          const Ec2NodeClass& node_class,
                                                          const ClassStatus& status, const Settings& settings,
                                                          const std::optional<PlacementGroup>& group,
                                                          const MemoryByImage& learned = {});

// A type whose requirements are those of its namesake in `from` takes over the list, so that the types of
// many classes need little memory. Both are by name.
void share_requirements(const std::vector<rules::InstanceType>& from, std::vector<rules::InstanceType>& to);

// How many machines each reservation holds, written into the types' reserved offerings.
void set_reservation_counts(const ReservationBook& book, std::vector<rules::InstanceType>& types);

}  // namespace joiner::cloud::ec2
