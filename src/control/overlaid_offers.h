// A provider whose prices and capacities are what NodeOverlays say, for all who ask: planning, disruption and
// launching. Everything else is the provider's own. Owned by control; loop thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/forwarding_provider.h"
#include "model/cluster.h"
#include "model/overlaid_types.h"

namespace joiner::control {

class OverlaidProvider final : public cloud::ForwardingProvider {
  public:
    OverlaidProvider(cloud::Provider& own, const model::Cluster& cluster)
        : ForwardingProvider(own), cluster_(cluster) {}

    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;

    // What the claim may become, as its pool sees it; nullptr where overlays have nothing to say of it.
    cloud::InstanceTypes offered_to(const api::NodeClaim& claim);
    // Overlays that are not applied, and why.
    const std::vector<rules::OverlayProblem>& problems();

  private:
    // What overlays look at, and nothing that changes without them: evaluating them anew makes new types.
    struct Inputs {
        std::vector<std::pair<std::string, std::int64_t>> overlays;  // Uids and generations.
        std::vector<std::pair<std::string, std::int64_t>> pools;
        std::vector<cloud::InstanceTypes> types;  // Of the pools.

        friend bool operator==(const Inputs&, const Inputs&) = default;
    };
    Inputs inputs() const;
    void refresh();

    const model::Cluster& cluster_;
    std::uint64_t seen_version_ = 0;
    Inputs seen_;
    model::OverlaidTypes overlaid_;
};

}  // namespace joiner::control
