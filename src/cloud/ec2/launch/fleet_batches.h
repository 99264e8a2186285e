// One fleet for the claims of a launch group: those that come together are asked for together, and each has
// its share of the answer. Owned by the launcher, borrows the loop and the calls. Loop thread.
//
// The fleets of a group are numbered, and the client token is made of the group's id and the number, whoever
// is in the fleet: EC2 makes one fleet of each number, and says so of any other request under its token, also
// after a restart. A claim in no group is one of its own, by its uid.
//
// A fleet whose answer was lost may have bought for all its members. It is asked for again, as one, when
// anybody comes for it; the shares of the others wait for them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/launch/fleet_plan.h"
#include "cloud/launch_group.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class FleetBatches {
  public:
    FleetBatches(io::Loop& loop, Ec2& ec2) : loop_(loop), ec2_(ec2) {}
    ~FleetBatches() { *is_alive_ = false; }
    FleetBatches(const FleetBatches&) = delete;
    FleetBatches& operator=(const FleetBatches&) = delete;

    struct Ask {
        std::string uid;
        std::string claim_name;
        std::optional<LaunchGroup> group;
        int number = 0;
        std::shared_ptr<const FleetPlan> plan;
        FleetTerms terms;
    };
    // One instance at most, and what the whole fleet found short. nullopt: there was a fleet of this number,
    // and the claim was not in it; the next number is to be asked for.
    using Share = std::optional<FleetAnswer>;
    void ask(Ask ask, aws::Done<Share> done);
    // Shares that nobody came for in so long are dropped.
    void forget_older_than(Duration age);

  private:
    struct Batch;
    using BatchPtr = std::shared_ptr<Batch>;
    void join(const BatchPtr& batch, Ask ask, aws::Done<Share> done);
    void close(const BatchPtr& batch);
    void send(const BatchPtr& batch);
    void on_answer(const BatchPtr& batch, const aws::Answer<FleetAnswer>& answer);

    io::Loop& loop_;
    Ec2& ec2_;
    std::map<std::pair<std::string, int>, BatchPtr>
        batches_;  // By the group's id, or the uid, and the number.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// `id`: of the group, or the uid of a claim in none.
std::string client_token(const std::string& id, int number);

}  // namespace joiner::cloud::ec2
