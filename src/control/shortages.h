// A memory of stock-outs: an offering that a launch could not have, or that the cloud took back, is not
// offered again for a while, so that the plan after a stock-out is another plan. Longer each time it is found
// short again; forgotten when the node class changes, and with time. Once it may be back, one launch asks for
// it, and twice as many each time it is had, so that many do not learn the same at once. StockMemory keeps it
// over a restart. Owned by control; loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cloud/offers.h"
#include "control/shortages_text.h"
#include "io/loop.h"
#include "model/cluster.h"

namespace joiner::control {

class Shortages final : public cloud::Offers {
  public:
    Shortages(cloud::Offers& own, io::Loop& loop, const model::Cluster& cluster)
        : own_(own), loop_(loop), cluster_(cluster) {}

    // Those that are remembered are not available.
    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;
    cloud::InstanceTypes all_types(const api::NodePool& pool) override { return own_.all_types(pool); }
    std::string why_no_types(const api::NodePool& pool) override { return own_.why_no_types(pool); }
    cloud::Stock stock(const api::NodeClassReference& node_class,
                       const rules::OfferingKey& key) const override;
    void note_asked(const cloud::LaunchRequest& request) override;
    void note_launch(const api::NodeClaim& claim, const cloud::LaunchRequest& request,
                     const cloud::LaunchAnswer& answer) override;
    // The cloud has taken the claim's machine back, or is about to.
    void note_taken_back(const api::NodeClaim& claim);

    // All that is remembered, by class and offering, and what another process has remembered before us. What
    // we know ourselves stays; what has grown old or can never have been is passed over.
    std::vector<ShortagesOfClass> remembered() const;
    void remember(const std::vector<ShortagesOfClass>& before);
    // Grows with each change of what is remembered.
    std::uint64_t changes() const { return changes_; }

  private:
    struct Known {
        Shortage shortage;
        int may_try = 1;  // So many launches at a time, once it may be back.
        int trying = 0;
    };
    // Another node class may see another stock, and so may the same one once it is changed.
    struct OfClass {
        std::shared_ptr<const api::NodeClass> seen = nullptr;  // It is not old as long as this one is there.
        std::int64_t generation = 0;
        std::string annotations;  // A digest of them.
        std::map<rules::OfferingKey, Known> offerings;
    };
    // A launch that asks for offerings that may be back.
    struct Trial {
        api::NodeClassReference node_class;
        std::vector<rules::OfferingKey> offerings;
        WallTime began = kNoTime;
    };
    struct Offered {
        cloud::InstanceTypes own;
        std::uint64_t version = 0;
        cloud::InstanceTypes types;
    };

    // The class has changed since.
    bool is_old(const OfClass& of, const api::NodeClassReference& node_class) const;
    // Empty where nothing is remembered of the class as it is now.
    OfClass& of_class(const api::NodeClassReference& node_class);
    void note(OfClass& of, const rules::OfferingKey& key);
    void note_had(OfClass& of, const rules::OfferingKey& key);
    bool is_out(const api::NodeClassReference& node_class, const rules::OfferingKey& key) const {
        return stock(node_class, key) == cloud::Stock::kOut;
    }
    void end_trial(const Trial& trial);
    void come_back_at(WallTime until);
    void forget_in_time();
    // Nothing that the claim allows is to be had.
    void note_failed(const api::NodeClaim& claim, const cloud::LaunchRequest& request);
    // Those of types that differ from the request's in size only.
    void note_alike(const api::NodeClaim& claim, const cloud::LaunchRequest& request);
    void forget();

    cloud::Offers& own_;
    io::Loop& loop_;
    const model::Cluster& cluster_;
    std::map<api::NodeClassReference, OfClass> short_;
    std::map<std::string, Trial> trials_;  // By the claim's uid.
    std::uint64_t changes_ = 0;
    std::uint64_t version_ = 0;                            // Grows with each change of what is to be had.
    std::map<std::string, Offered, std::less<>> offered_;  // By pool.
    // By pool: when a launch failed first, with none that succeeded since.
    std::map<std::string, WallTime, std::less<>> failing_since_;
    WallTime wakes_at_ = kNoTime;  // When the last of them that were noted comes back.
    bool forgets_soon_ = false;
};

}  // namespace joiner::control
