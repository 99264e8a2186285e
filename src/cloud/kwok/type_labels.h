// What every instance type of this provider says of itself: labels that follow from its name, its size and
// its offerings, and what a pretend node keeps for itself. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/instance_type.h"

namespace joiner::cloud::kwok {

inline constexpr std::string_view kLabelDomain = "karpenter.kwok.sh";

// "m5.2xlarge" has family m5 and size 2xlarge, "c7i-flex.large" family c7i-flex; "c-4x-amd64-linux" has
// family c and its size is its cpus.
std::string family_of(std::string_view name);
std::string size_of(std::string_view name, const std::string& cpus);

rules::Requirement one_value(std::string_view key, std::string value);
rules::Offering make_offering(std::string zone, std::string_view capacity_type, double price);
rules::Resources kwok_overhead();

// REQUIRES: capacity and offerings are there.
void add_type_labels(rules::InstanceType& type, std::string_view arch,
                     std::vector<std::string> operating_systems);

}  // namespace joiner::cloud::kwok
