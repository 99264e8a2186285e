// Fleet plans of the last launches: claims that ask the same are planned once. Owned by the launcher; loop
// thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/launch/fleet_plan.h"

namespace joiner::cloud::ec2 {

class FleetPlans {
  public:
    // As plan_fleet(). What depends on reservations or a placement group is planned each time.
    Result<std::shared_ptr<const FleetPlan>> plan(const LaunchRequest& request,
                                                  const std::set<rules::OfferingKey>& tried,
                                                  const FleetGround& ground);

  private:
    // Everything that a plan is made of.
    struct Question {
        std::shared_ptr<const api::NodeClass> node_class;
        std::weak_ptr<const std::vector<rules::InstanceType>> types;
        std::weak_ptr<const RegionFacts> region;
        std::vector<LaunchChoice> choices;
        api::StringMap labels;
        std::vector<api::Taint> taints;
        std::vector<api::Taint> startup_taints;
        bool wants_efa = false;
        bool is_dedicated = false;
        std::set<rules::OfferingKey> tried;
        std::map<std::string, std::string> subnets;
        std::string cluster;  // What nodes must know of it.
        std::shared_ptr<const FleetPlan> answer;
    };
    static bool is_answered_by(const Question& question, const LaunchRequest& request,
                               const std::set<rules::OfferingKey>& tried, const FleetGround& ground);

    std::deque<Question> lately_;  // The newest first.
};

}  // namespace joiner::cloud::ec2
