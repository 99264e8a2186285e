// The launch template by which a claim's machines of one image and pod density are launched. Pure; any
// thread.
#pragma once

#include <string_view>

#include "cloud/ec2/calls/launch_template.h"
#include "cloud/ec2/launch/fleet_plan.h"

namespace joiner::cloud::ec2 {

// Without its name. Errors are those of user data.
Result<LaunchTemplateRequest> make_launch_template(const FleetGround& ground, const api::NodeClaim& claim,
                                                   const rules::InstanceType& type, const StatusImage& image,
                                                   std::string_view capacity_type);

}  // namespace joiner::cloud::ec2
