// What can be bought for a pool at this moment, as all who plan and launch see it. Loop thread.
#pragma once

#include "api/karpenter.h"
#include "cloud/launch.h"

namespace joiner::cloud {

// What is known of an offering's stock.
enum class Stock {
    kThere,  // Nothing speaks against it.
    kMaybe,  // It was out, and may be back: one launch more may ask for it.
    kTried,  // Likewise, and as many launches ask for it already as may.
    kOut,
};

class Offers {
  public:
    virtual ~Offers() = default;
    // Every type, what is short marked as not available; the same pointer until something changed. nullptr:
    // not known now.
    virtual InstanceTypes instance_types(const api::NodePool& pool) = 0;
    // Where that is nullptr: why, in one sentence.
    virtual std::string why_no_types(const api::NodePool& pool) = 0;
    // The same without a look at what is short, for whoever asks of few offerings or of none.
    virtual InstanceTypes all_types(const api::NodePool& pool) { return instance_types(pool); }
    virtual Stock stock(const api::NodeClassReference&, const rules::OfferingKey&) const {
        return Stock::kThere;
    }
    // A launch asks for the request's choices from now on, until note_launch() tells what it has found.
    virtual void note_asked(const LaunchRequest&) {}
    virtual void note_launch(const api::NodeClaim&, const LaunchRequest&, const LaunchAnswer&) {}
};

}  // namespace joiner::cloud
