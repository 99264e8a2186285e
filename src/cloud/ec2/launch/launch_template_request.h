// The launch template by which a claim's machines of one image, pod density, reserves and need are launched.
// Pure; any thread.
#pragma once

#include <string_view>

#include "cloud/ec2/calls/launch_template.h"
#include "cloud/ec2/kubelet.h"
#include "cloud/ec2/launch/fleet_plan.h"

namespace joiner::cloud::ec2 {

// Without its name. `kubelet`: of the type's node, without expressions. `reservation`: that it launches into;
// nullptr: none. Errors are those of user data.
Result<LaunchTemplateRequest> make_launch_template(const FleetGround& ground, const api::NodeClaim& claim,
                                                   const rules::InstanceType& type,
                                                   const KubeletSettings& kubelet, const StatusImage& image,
                                                   std::string_view capacity_type,
                                                   const StatusReservation* reservation);

// Whether the claim allows no machine that is shared with others.
bool must_be_dedicated(const api::NodeClaim& claim);

// Whether the claim's pods ask for EFA interfaces.
bool wants_efa(const api::NodeClaim& claim);
// EFA interfaces that a node of the type gets because its pods ask for them; 0 where the class says which
// interfaces there are.
int efa_interfaces(const Ec2NodeClass& node_class, const api::NodeClaim& claim,
                   const rules::InstanceType& type);

}  // namespace joiner::cloud::ec2
