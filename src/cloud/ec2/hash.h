// The hash of an EC2NodeClass that its NodeClaims carry, so that a class that was changed is drift. As
// upstream of version v6 makes it: nodes that are taken over do not drift. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

inline constexpr std::string_view kHashVersion = "v6";

// `ca_bundle`: base64, as it goes into user data.
std::string node_class_hash(const Ec2NodeClass& node_class, std::string_view ca_bundle);

}  // namespace joiner::cloud::ec2
