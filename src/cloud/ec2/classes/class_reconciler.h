// Works out what an EC2NodeClass should say of itself: what its selectors find, the instance profile, and
// whether it can be launched with. Borrows the calls. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/class_state.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/classes/cluster_discovery.h"
#include "cloud/ec2/classes/discovery.h"
#include "cloud/ec2/classes/instance_profiles.h"
#include "cloud/ec2/classes/selectors.h"
#include "cloud/ec2/launch/launch_templates.h"
#include "cloud/ec2/placement/placement_groups.h"
#include "cloud/ec2/reservations/reservations.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/region_types.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class ClassReconciler {
  public:
    struct Ground {
        io::Loop& loop;
        Ec2& ec2;
        Discovery& discovery;
        ClusterDiscovery& cluster;
        InstanceProfiles& profiles;
        LaunchTemplates& templates;
        Reservations& reservations;
        PlacementGroups& placement_groups;
        RegionTypes& region_types;
        const Settings& settings;
    };
    explicit ClassReconciler(Ground ground) : ground_(ground) {}
    ~ClassReconciler() { *is_alive_ = false; }
    ClassReconciler(const ClassReconciler&) = delete;
    ClassReconciler& operator=(const ClassReconciler&) = delete;

    void reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                   std::function<void(Result<WantedClassState>)> done);

  private:
    struct Job;
    using JobPtr = std::shared_ptr<Job>;
    void find_subnets(const JobPtr& job);
    void find_security_groups(const JobPtr& job);
    void begin(const JobPtr& job);
    void find_images(const JobPtr& job);
    void describe_images(const JobPtr& job, const ImagesOfParameters& of_parameters);
    void find_profile(const JobPtr& job);
    void find_reservations(const JobPtr& job);
    void find_placement_group(const JobPtr& job);
    void step_done(const JobPtr& job);
    // Whether the kubelet settings can be used; else ValidationSucceeded says what is in the way.
    bool is_kubelet_usable(const JobPtr& job) const;
    void validate(const JobPtr& job);
    void dry_run_fleet(const JobPtr& job, const LaunchTemplateRequest& launch_template);
    void dry_run_instance(const JobPtr& job, const LaunchTemplateRequest& launch_template,
                          std::size_t subnet);
    void refused(const JobPtr& job, const aws::CallError& error, const char* reason);
    void finish(const JobPtr& job);
    void clear_away(const JobPtr& job);

    const Ground ground_;
    // What was validated, and when.
    std::map<std::string, Duration> valid_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
