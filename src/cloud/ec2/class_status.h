// The status of an EC2NodeClass: what its selectors have found. Launches work with it alone, so that a
// restart needs no memory. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"
#include "rules/instance_type.h"
#include "rules/requirement.h"

namespace joiner::cloud::ec2 {

struct StatusSubnet {
    std::string id;
    std::string zone;
    std::string zone_id;
};
struct StatusSecurityGroup {
    std::string id;
    std::string name;
};
struct StatusImage {
    std::string id;
    std::string name;
    bool is_deprecated = false;
    rules::Requirements requirements;  // Of the types that it is for.
};
struct StatusReservation {
    std::string id;
    std::string zone;
    std::string type;  // Of instance.
    std::string owner;
    std::string match_criteria;  // "open" or "targeted".
    std::string kind;            // "default" or "capacity-block".
    bool is_interruptible = false;
    bool is_expiring = false;  // Nothing is launched into it any more.
    std::optional<WallTime> ends;
};

struct ClassStatus {
    std::vector<StatusSubnet> subnets;  // Most free addresses first.
    std::vector<StatusSecurityGroup> security_groups;
    std::vector<StatusImage> images;
    std::vector<StatusReservation> reservations;  // By id.
    std::string instance_profile;
};

// What is not as it should be in it is left out.
ClassStatus read_status(const api::NodeClass& node_class);
// As a merge patch of the status, the conditions left out.
std::string write_status(const ClassStatus& status);

// Whether the class, as it is written now, may be launched with; otherwise kNotReady and why.
Status check_ready(const api::NodeClass& node_class);

// The image that an instance of this type gets; nullptr: none is for it.
const StatusImage* image_for(const ClassStatus& status, const rules::InstanceType& type);

}  // namespace joiner::cloud::ec2
