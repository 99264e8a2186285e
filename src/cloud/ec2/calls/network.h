// What EC2 says of the places where instances stand: subnets, security groups, zones, placement groups and
// capacity reservations. Value types; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {

struct Subnet {
    std::string id;
    std::string vpc;
    std::string zone;
    std::string zone_id;
    int free_addresses = 0;
    api::StringMap tags;

    friend bool operator==(const Subnet&, const Subnet&) = default;
};

struct SecurityGroup {
    std::string id;
    std::string name;
    std::string vpc;
    api::StringMap tags;

    friend bool operator==(const SecurityGroup&, const SecurityGroup&) = default;
};

struct PlacementGroup {
    std::string id;
    std::string name;
    std::string strategy;  // "cluster", "partition" or "spread".
    std::string state;
    int partitions = 0;

    friend bool operator==(const PlacementGroup&, const PlacementGroup&) = default;
};

struct CapacityReservation {
    std::string id;
    std::string owner;
    std::string type;  // Of instance.
    std::string zone;
    std::string zone_id;
    std::string match_criteria;  // "open" or "targeted".
    std::string kind;            // "default" or "capacity-block".
    std::string state;           // "active", ...
    bool is_interruptible = false;
    int available = 0;
    int total = 0;
    std::optional<WallTime> ends;
    api::StringMap tags;

    friend bool operator==(const CapacityReservation&, const CapacityReservation&) = default;
};

}  // namespace joiner::cloud::ec2
