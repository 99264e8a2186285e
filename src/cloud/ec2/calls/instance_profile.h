// What IAM says of an instance profile. Value type; any thread.
#pragma once

#include <string>
#include <vector>

#include "api/meta.h"

namespace joiner::cloud::ec2 {

struct InstanceProfile {
    std::string name;
    std::string path;
    std::string arn;
    std::vector<std::string> roles;
    api::StringMap tags;

    friend bool operator==(const InstanceProfile&, const InstanceProfile&) = default;
};

}  // namespace joiner::cloud::ec2
