// What EC2 says of one instance (DescribeInstances) and of its health (DescribeInstanceStatus). Value types;
// any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::cloud::ec2 {

// cloud::Instance is what we make of it.
struct InstanceInfo {
    std::string id;
    std::string state;  // "pending", "running", "shutting-down", "terminated", "stopping" or "stopped".
    std::string type;
    std::string zone;
    std::string zone_id;
    std::string image_id;
    std::string subnet;
    std::string vpc;
    std::string private_dns_name;
    std::string platform;      // "windows"; empty: Linux.
    std::string lifecycle;     // "spot"; empty: on demand.
    std::string spot_request;  // Empty: none.
    std::string tenancy;
    std::string placement_group_id;
    std::optional<int> partition;
    std::string reservation_id;          // Of a capacity reservation.
    std::string reservation_preference;  // "capacity-reservations-only", ...
    std::string instance_profile_arn;
    std::vector<std::string> security_groups;  // Ids.
    int efa_interfaces = 0;
    WallTime launched = kNoTime;
    api::StringMap tags;

    friend bool operator==(const InstanceInfo&, const InstanceInfo&) = default;
};

struct StatusCheck {
    std::string status;               // "ok", "impaired", "insufficient-data", ...
    std::vector<std::string> failed;  // Names of the checks that failed: "reachability".
    std::optional<WallTime> impaired_since;

    friend bool operator==(const StatusCheck&, const StatusCheck&) = default;
};

struct InstanceHealth {
    std::string id;
    std::string zone;
    StatusCheck instance;
    StatusCheck system;
    struct Event {
        std::string code;  // "instance-retirement".
        std::string description;
        std::optional<WallTime> not_before;

        friend bool operator==(const Event&, const Event&) = default;
    };
    std::vector<Event> events;

    friend bool operator==(const InstanceHealth&, const InstanceHealth&) = default;
};

}  // namespace joiner::cloud::ec2
