// A memory of stock-outs: an offering that a launch could not have, or that the cloud took back, is not
// offered again for a while, so that the plan after a stock-out is another plan. Longer each time it is found
// short again; forgotten when it is had, when the node class changes, and with time. In memory only: after a
// restart one launch asks anew. Owned by control; loop thread.
#pragma once

#include <map>
#include <string>

#include "cloud/offers.h"
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
    bool is_short(const api::NodeClassReference& node_class, const rules::OfferingKey& key) const override;
    void note_launch(const api::NodeClaim& claim, const cloud::LaunchRequest& request,
                     const cloud::LaunchAnswer& answer) override;
    // The cloud has taken the claim's machine back, or is about to.
    void note_taken_back(const api::NodeClaim& claim);

  private:
    struct Shortage {
        WallTime until = kNoTime;  // So long it is left alone.
        WallTime noted = kNoTime;
        int times = 0;
    };
    // Another node class may see another stock, and so may the same one once it is changed.
    struct OfClass {
        std::int64_t generation = 0;
        api::StringMap annotations;
        std::map<rules::OfferingKey, Shortage> offerings;
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
    // Nothing that the claim allows is to be had.
    void note_failed(const api::NodeClaim& claim, const cloud::LaunchRequest& request);
    // Those of types that differ from the request's in size only.
    void note_alike(const api::NodeClaim& claim, const cloud::LaunchRequest& request);
    void forget();

    cloud::Offers& own_;
    io::Loop& loop_;
    const model::Cluster& cluster_;
    std::map<api::NodeClassReference, OfClass> short_;
    std::uint64_t version_ = 0;                            // Grows with each change of it.
    std::map<std::string, Offered, std::less<>> offered_;  // By pool.
    // By pool: when a launch failed first, with none that succeeded since.
    std::map<std::string, WallTime, std::less<>> failing_since_;
    WallTime wakes_at_ = kNoTime;  // When the last of them that were noted comes back.
    bool forgets_soon_ = false;
};

}  // namespace joiner::control
