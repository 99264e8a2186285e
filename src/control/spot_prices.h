// Offers that know what interruptions cost: which spot machines the cloud takes back is learned by offering,
// and what that costs beyond what is taken for granted of all stands beside the price, for whoever compares.
// As long as no machine was taken back there is nothing beside any price. StockMemory keeps what was learned
// over a restart. Owned by control; loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "cloud/offers.h"
#include "io/loop.h"
#include "model/cluster.h"
#include "rules/interruption_rates.h"

namespace joiner::control {

class SpotPrices final : public cloud::Offers {
  public:
    // `is_heeded`: false leaves the offers as they are; it is learned all the same.
    SpotPrices(cloud::Offers& own, io::Loop& loop, const model::Cluster& cluster, bool is_heeded)
        : own_(own), loop_(loop), cluster_(cluster), is_heeded_(is_heeded) {}

    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;
    std::string why_no_types(const api::NodePool& pool) override { return own_.why_no_types(pool); }

    // The cloud takes the claim's machine back, or has; a second word of the same machine changes nothing.
    void note_taken_back(const api::NodeClaim& claim);
    // Counts the hours that machines run, and lets prices follow what was learned, once a minute at most.
    // Once a second.
    void look();

    const rules::InterruptionRates& rates() const { return rates_; }
    // What another process has learned before us, as rates().written() says it.
    void remember(std::string_view text);
    // Grows with each interruption, and every few hours while spot machines run.
    std::uint64_t changes() const { return changes_; }

  private:
    struct Priced {
        cloud::InstanceTypes own;
        std::uint64_t version = 0;
        cloud::InstanceTypes types;
    };

    void count_hours(Duration passed);
    void follow();
    cloud::InstanceTypes priced(const cloud::InstanceTypes& own) const;

    cloud::Offers& own_;
    io::Loop& loop_;
    const model::Cluster& cluster_;
    bool is_heeded_;
    rules::InterruptionRates rates_;
    bool some_cost_ = false;  // More than the prior, by what was known when prices last followed.
    std::uint64_t changes_ = 0;
    std::uint64_t followed_changes_ = 0;
    std::uint64_t version_ = 0;  // Of prices.
    WallTime looked_at_ = kNoTime;
    WallTime changed_at_ = kNoTime;
    std::set<std::string> taken_back_;                   // Uids of claims that are still there.
    std::map<std::string, Priced, std::less<>> priced_;  // By pool.
};

}  // namespace joiner::control
