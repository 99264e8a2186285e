// Buys one instance for a claim, and never two: each purchase is known by the claim's uid, to EC2 as a client
// token and as a tag, so that it is found again after a lost answer or a restart. Owned by the provider,
// borrows the calls. Loop thread.
//
// Claims of a launch group share a fleet (FleetBatches). A claim's fleets, or its group's, are numbered, and
// the number goes into the token. The same token and the same request are one fleet. Where EC2 says that a
// token was used for another request, there was a fleet that we do not remember: what it bought is looked
// for, until EC2 lists the claim's instance or says that the fleet was for others, before the next number is
// used. No number is passed over, so whoever comes after a restart meets each fleet that may be the claim's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/instances/instances.h"
#include "cloud/ec2/launch/fleet_batches.h"
#include "cloud/ec2/launch/fleet_plans.h"
#include "cloud/ec2/launch/launch_templates.h"
#include "cloud/ec2/launch/subnet_choice.h"
#include "cloud/ec2/placement/placement_groups.h"
#include "cloud/ec2/reservations/reservations.h"
#include "cloud/launch.h"
#include "cloud/reports.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class Launcher {
  public:
    struct Ground {
        io::Loop& loop;
        Ec2& ec2;
        Instances& instances;
        LaunchTemplates& templates;
        SubnetChoice& subnets;
        Reservations& reservations;
        PlacementGroups& placement_groups;
        RegionTypes& region_types;
        const Settings& settings;
        Reports& reports;
    };
    explicit Launcher(Ground ground)
        : loop_(ground.loop),
          instances_(ground.instances),
          templates_(ground.templates),
          subnets_(ground.subnets),
          reservations_(ground.reservations),
          placement_groups_(ground.placement_groups),
          region_types_(ground.region_types),
          settings_(ground.settings),
          reports_(ground.reports),
          batches_(ground.loop, ground.ec2) {}
    ~Launcher() { *is_alive_ = false; }
    Launcher(const Launcher&) = delete;
    Launcher& operator=(const Launcher&) = delete;

    void launch(const LaunchRequest& request, LaunchDone done);
    // The instance has ended: what it was bought for may be bought anew.
    void ended(const std::string& instance_id);
    // A launch is under way, and its templates must stay.
    bool is_launching() const;
    // Whether it was bought so lately that EC2 may not know it everywhere yet.
    bool is_young(const std::string& instance_id) const;

  private:
    struct Purchase;
    using PurchasePtr = std::shared_ptr<Purchase>;
    struct ReadClass;
    using ReadClassPtr = std::shared_ptr<const ReadClass>;
    Result<ReadClassPtr> read(const std::shared_ptr<const api::NodeClass>& node_class);
    void look_up(const PurchasePtr& purchase, Duration until);
    void buy(const PurchasePtr& purchase);
    void cannot_ask(const PurchasePtr& purchase, Error error);
    void ask_fleet(const PurchasePtr& purchase);
    void on_refused(const PurchasePtr& purchase, const aws::CallError& error);
    void on_fleet(const PurchasePtr& purchase, const FleetAnswer& answer);
    void count_error(const ClassStatus& status, const FleetError& error);
    void note_errors(const PurchasePtr& purchase, const std::vector<FleetError>& errors);
    void found(const PurchasePtr& purchase, const InstanceInfo& info);
    void bought(const PurchasePtr& purchase, const FleetInstances& instances);
    // Finishes once EC2 says which partition of its group the new instance is in, or `until` without.
    void say_partition(const PurchasePtr& purchase, std::shared_ptr<LaunchAnswer> answer, Duration until);
    void fail_with(const PurchasePtr& purchase, Error error);
    void finish(const PurchasePtr& purchase, LaunchAnswer answer);
    void forget_old();

    io::Loop& loop_;
    Instances& instances_;
    LaunchTemplates& templates_;
    SubnetChoice& subnets_;
    Reservations& reservations_;
    PlacementGroups& placement_groups_;
    RegionTypes& region_types_;
    const Settings& settings_;
    Reports& reports_;
    FleetPlans plans_;
    FleetBatches batches_;
    std::deque<ReadClassPtr> classes_;  // Those of the last launches, the newest first.
    std::optional<WallTime>
        began_;  // When the first launch was asked for: whoever led before may have bought.
    std::map<std::string, PurchasePtr> purchases_;  // By the claim's uid.
    std::map<std::string, std::string> uid_of_;     // By instance id.
    Duration sweep_after_{0};
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// As EC2 describes it; `types`: what it may be, for its capacity.
Instance instance_of(const InstanceInfo& info, const InstanceTypes& types);
std::string provider_id(const std::string& zone, const std::string& instance_id);
// Empty where it is not the id of an EC2 instance.
std::string instance_id_in(const std::string& provider_id);

}  // namespace joiner::cloud::ec2
