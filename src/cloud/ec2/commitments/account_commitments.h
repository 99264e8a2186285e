// What the account has paid for already: its reserved instances of this region and its Savings Plans, less
// what machines outside of the cluster take of them. Asked about each hour; where an answer does not come,
// what is known stands, and that is said once. Borrows the calls. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/savings_plans.h"
#include "cloud/ec2/settings.h"
#include "cloud/ec2/types/region_types.h"
#include "cloud/reports.h"
#include "io/loop.h"
#include "rules/commitment.h"

namespace joiner::cloud::ec2 {

struct PlanWithRates {
    SavingsPlan plan;
    std::vector<SavingsPlanRate> rates;
};

// Of what AWS has said, what holds now and here: active, not ended, for shared machines, of this region.
// Reservations that are alike are one commitment, and plans with the same rates. By kind and name; no more
// than a thousand.
rules::Commitments commitments_of(const std::vector<ReservedInstances>& reserved,
                                  const std::vector<PlanWithRates>& plans, const std::string& region,
                                  WallTime now);

// Machines of the account that use commitments and are no nodes of the cluster: running on demand, on shared
// hardware, of a type that has a price.
std::vector<InstanceInfo> machines_elsewhere(std::vector<InstanceInfo> instances,
                                             const std::string& cluster_name);
// The same commitments with what is left when those machines have taken theirs.
rules::Commitments without_elsewhere(rules::Commitments commitments,
                                     const std::vector<InstanceInfo>& elsewhere, const RegionFacts& facts);

class AccountCommitments {
  public:
    // `region_types` says what the machines of others cost.
    struct Ground {
        io::Loop& loop;
        Ec2& ec2;
        SavingsPlans& savings_plans;
        RegionTypes& region_types;
        Reports& reports;
        std::string region;
        const Settings& settings;
    };
    explicit AccountCommitments(Ground ground) : ground_(std::move(ground)) {}
    ~AccountCommitments() { *is_alive_ = false; }
    AccountCommitments(const AccountCommitments&) = delete;
    AccountCommitments& operator=(const AccountCommitments&) = delete;

    // From now on, for good. Does nothing the second time.
    void start();
    // nullptr: not known yet. The same pointer until something has changed, which the reports tell.
    const std::shared_ptr<const rules::Commitments>& known() const { return known_; }

  private:
    // One question of all that must be asked; the parts are those of the answers.
    struct Reading {
        std::vector<ReservedInstances> reserved = {};
        std::vector<PlanWithRates> plans = {};
        std::size_t next_plan = 0;
    };
    using ReadingPtr = std::shared_ptr<Reading>;

    void read();
    void read_plans(const ReadingPtr& reading);
    void read_rates(const ReadingPtr& reading);
    void read_machines(const ReadingPtr& reading);
    void finish(const ReadingPtr& reading, const std::vector<InstanceInfo>& elsewhere);
    void fail(const Error& error);
    void again(Duration pause);
    // Wraps what an answer is given to: nothing once this is gone, and an error ends the question.
    template <typename T>
    aws::Done<T> then(std::function<void(T)> good) {
        return [this, is_alive = is_alive_, good = std::move(good)](aws::Answer<T> answer) {
            if (!*is_alive) return;
            if (!answer) return fail(answer.error());
            good(std::move(*answer));
        };
    }

    const Ground ground_;
    bool is_started_ = false;
    int failures_ = 0;
    std::string said_;  // Last, of what is wrong; empty: nothing is.
    std::shared_ptr<const rules::Commitments> known_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
