// The kubelet settings that machines of a launch are told, by instance type. Borrows the class, the settings
// and what is known of the region. Loop thread.
#pragma once

#include <map>
#include <string>

#include "cloud/ec2/launch/fleet_plan.h"
#include "cloud/ec2/types/instance_type.h"

namespace joiner::cloud::ec2 {

class LaunchKubelets {
  public:
    // kNotReady: the class's settings cannot be used.
    static Result<LaunchKubelets> read(const FleetGround& ground);

    // Valid as long as this is. kNotReady: an expression is to be worked out, and cannot be for this type.
    Result<const KubeletSettings*> of(const std::string& type);

  private:
    LaunchKubelets(NodeShape shape, std::shared_ptr<const RegionFacts> region)
        : shape_(std::move(shape)), region_(std::move(region)) {}

    NodeShape shape_;
    std::shared_ptr<const RegionFacts> region_;
    std::map<std::string, KubeletSettings> resolved_;  // By type, where there are expressions.
};

}  // namespace joiner::cloud::ec2
