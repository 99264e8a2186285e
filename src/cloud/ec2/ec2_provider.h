// EC2 as a cloud: EC2NodeClasses, and the instances that are launched by them. Owned by control, borrows the
// loop and the HTTP client. Loop thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/call_metrics.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/iam.h"
#include "cloud/ec2/calls/savings_plans.h"
#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/calls/zonal_shift.h"
#include "cloud/ec2/classes/class_reconciler.h"
#include "cloud/ec2/classes/instance_profiles.h"
#include "cloud/ec2/commitments/account_commitments.h"
#include "cloud/ec2/health/instance_status.h"
#include "cloud/ec2/health/zonal_shift.h"
#include "cloud/ec2/instances/instances.h"
#include "cloud/ec2/instances/node_tags.h"
#include "cloud/ec2/interruption/interruption_queue.h"
#include "cloud/ec2/known_instances.h"
#include "cloud/ec2/launch/launch_templates.h"
#include "cloud/ec2/launch/launcher.h"
#include "cloud/ec2/launch/subnet_choice.h"
#include "cloud/ec2/placement/placement_groups.h"
#include "cloud/ec2/reservations/reservations.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/learned_memory.h"
#include "cloud/ec2/types/region_types.h"
#include "cloud/provider.h"

namespace joiner::cloud::ec2 {

struct Ec2Ground {
    io::Loop& loop;
    io::HttpClient& http;
    Reports& reports;
    Rng rng;
    aws::Endpoints endpoints;
    aws::CredentialKeeper::Fetch fetch_credentials;
    AskVersion ask_version = {};
};

class Ec2Provider final : public Provider {
  public:
    Ec2Provider(Ec2Ground ground, Settings settings);
    ~Ec2Provider() override;
    Ec2Provider(const Ec2Provider&) = delete;
    Ec2Provider& operator=(const Ec2Provider&) = delete;

    std::string_view name() const override { return "aws"; }
    std::vector<NodeClassResource> node_class_resources() const override;
    const rules::RestrictedLabels& labels() const override { return labels_; }
    Result<InstanceTypes> instance_types(const api::NodePool& pool,
                                         const api::NodeClass* node_class) override;
    std::shared_ptr<const rules::Commitments> commitments() const override { return commitments_.known(); }
    bool shows_offerings() const override { return true; }

    DriftAnswer drift(const api::NodeClaim& claim, const api::NodePool& pool,
                      const api::NodeClass* node_class) override;
    void reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                   std::function<void(Result<WantedClassState>)> done) override;

    std::vector<rules::RepairPolicy> repair_policies() const override;
    void create(const LaunchRequest& request, LaunchDone done) override;
    void remove(const std::string& provider_id, std::function<void(Status)> done) override;
    void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) override;
    void list(std::function<void(Result<std::vector<Instance>>)> done) override;
    bool must_hear_of_node(const api::NodeClaim& claim) const override { return NodeTags::are_wanted(claim); }
    void hear_of_node(const api::NodeClaim& claim,
                      std::function<void(Result<api::StringMap>)> done) override {
        node_tags_.put(claim, std::move(done));
    }
    bool note_node(const api::NodeClaim& claim, const api::Node& node) override;
    bool can_reboot() const override { return true; }
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override;

  private:
    // The types of a class, as long as it finds the same places, images and placement group.
    struct ClassTypes {
        std::string version;  // Of the class's object, when it was read last.
        std::string written;  // The class's spec and what its selectors found.
        std::shared_ptr<const RegionFacts> facts;
        ClassStatus status;
        int shift = 0;  // The version of the zonal shifts.
        InstanceTypes types;
        int reservations = 0;  // Of the book's version.
        std::optional<PlacementGroupSelector> selector;
        std::optional<PlacementGroup> group;
        std::map<std::string, std::string, std::less<>> images;  // That a new node of each type gets.
        int learned = 0;                                         // The version of what was learned.
        MemoryByImage memory;  // The part of it that is of these types and images.
    };
    // What nodes of the class may be; an error where that is not known now.
    Result<const ClassTypes*> types_of(const api::NodeClass& node_class);
    // Writes into the types how many machines the class's reservations hold now.
    void count_reservations(ClassTypes& kept);
    // The part of what was learned that counts for the class's types as they are.
    MemoryByImage memory_of(const std::string& node_class, const ClassTypes& kept) const;
    void close_shifted_zones(std::vector<rules::InstanceType>& types) const;
    void end(const std::string& id, std::function<void(Status)> done);
    void see_whether_it_ended(const std::string& id, std::function<void(Status)> done);
    Status gone(const std::string& id);

    io::Loop& loop_;
    Settings settings_;  // What it leaves open is found out.
    const std::string region_;
    CallMetrics call_metrics_;
    aws::Client client_;
    Ec2 ec2_;
    Iam iam_;
    Ssm ssm_;
    Eks eks_;
    Pricing pricing_;
    Sqs sqs_;
    ArcZonalShift arc_;
    SavingsPlans savings_plans_;
    Instances instances_;
    KnownInstances known_;
    Reservations reservations_;
    PlacementGroups placement_groups_;
    NodeTags node_tags_;
    LaunchTemplates templates_;
    SubnetChoice subnets_;
    RegionTypes region_types_;
    Launcher launcher_;
    ClusterDiscovery cluster_;
    InstanceProfiles profiles_;
    Discovery discovery_;
    ClassReconciler reconciler_;
    LearnedMemory learned_;
    Reports& reports_;
    InterruptionQueue queue_;
    InstanceStatusWatch status_watch_;
    ZonalShift zonal_shift_;
    AccountCommitments commitments_;
    rules::RestrictedLabels labels_;
    std::map<std::string, ClassTypes> types_;  // By the class's name.
    std::set<std::string> ending_;             // Ids of instances that EC2 has been told to end.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
