// One fleet for claims that ask for the same: those that come within kGathering of one another are asked for
// together, and each has its share of the answer. Owned by the launcher, borrows the loop and the calls. Loop
// thread.
//
// A fleet whose answer was lost may have bought for all its members. It is asked for again under the same
// client token, as one, when one of them comes again; the shares of the others wait for them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/launch/fleet_plan.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class FleetBatches {
  public:
    // `most`: claims that share a fleet.
    FleetBatches(io::Loop& loop, Ec2& ec2, std::size_t most) : loop_(loop), ec2_(ec2), most_(most) {}
    ~FleetBatches() { *is_alive_ = false; }
    FleetBatches(const FleetBatches&) = delete;
    FleetBatches& operator=(const FleetBatches&) = delete;

    struct Ask {
        std::string uid;
        std::string claim_name;
        int number = 0;  // Of the claim's fleets; it goes into the token.
        std::shared_ptr<const FleetPlan> plan;
        FleetTerms terms;
    };
    // The answer holds one instance at most, and what the whole fleet found short.
    void ask(Ask ask, aws::Done<FleetAnswer> done);
    // Whether some fleet may have bought the claim's instance without the claim knowing it yet.
    bool may_have_bought(const std::string& uid) const;
    // Shares that nobody came for in so long are dropped.
    void forget_older_than(Duration age);

  private:
    struct Batch;
    using BatchPtr = std::shared_ptr<Batch>;
    void close(const BatchPtr& batch);
    void send(const BatchPtr& batch);
    void on_answer(const BatchPtr& batch, const aws::Answer<FleetAnswer>& answer);

    io::Loop& loop_;
    Ec2& ec2_;
    const std::size_t most_;
    std::vector<BatchPtr> gathering_;
    std::map<std::string, BatchPtr> of_;  // By uid: sent, and the claim has no share yet.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// Of a claim's fleet of this number.
std::string client_token(const std::string& uid, int number);

}  // namespace joiner::cloud::ec2
