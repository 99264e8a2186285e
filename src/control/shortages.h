// A provider that remembers: what a launch could not have is not offered again for a while, so that plans
// fall to what is left instead of asking for the same again. Everything else is the provider's own. In memory
// only; after a restart one launch asks anew. Owned by control; loop thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "cloud/forwarding_provider.h"
#include "io/loop.h"
#include "model/cluster.h"

namespace joiner::control {

class SoldOutMemory final : public cloud::ForwardingProvider {
  public:
    SoldOutMemory(cloud::Provider& own, io::Loop& loop, const model::Cluster& cluster)
        : ForwardingProvider(own), loop_(loop), cluster_(cluster) {}

    // Those that are remembered are not available.
    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;
    void create(const api::NodeClaim& claim, std::function<void(Result<cloud::Instance>)> done) override;

  private:
    using OfferingKey = std::tuple<std::string, std::string, std::string>;  // Type, zone, capacity type.
    // Another node class may see another stock, and so may the same one once it is changed.
    struct Remembered {
        std::int64_t generation = 0;
        api::StringMap annotations;
        std::map<OfferingKey, WallTime> until;  // So long each is left alone.
    };
    struct Offered {
        cloud::InstanceTypes own;
        std::uint64_t version = 0;
        cloud::InstanceTypes types;
    };

    void failed(const api::NodeClaim& claim, WallTime asked_at);
    // Every offering that the claim allows. `with_others`: those of types that differ in size only, too.
    void remember(const api::NodeClaim& claim, const api::NodePool& pool, bool with_others);
    void forget();
    // Empty where nothing is remembered of the class as it is now.
    Remembered& remembered_of(const api::NodeClassReference& node_class);

    io::Loop& loop_;
    const model::Cluster& cluster_;
    std::map<std::string, Remembered, std::less<>> sold_out_;  // By "group/kind/name" of the node class.
    std::uint64_t version_ = 0;                                // Grows with each change of it.
    std::map<std::string, Offered, std::less<>> offered_;      // By pool.
    // By pool: when a launch failed first, with none that succeeded since.
    std::map<std::string, WallTime, std::less<>> failing_since_;
};

}  // namespace joiner::control
