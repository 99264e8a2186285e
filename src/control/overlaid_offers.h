// Offers whose prices and capacities are what NodeOverlays say, for all who ask: planning, disruption and
// launching. Owned by control; loop thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/offers.h"
#include "model/cluster.h"
#include "model/overlaid_types.h"

namespace joiner::control {

class OverlaidOffers final : public cloud::Offers {
  public:
    OverlaidOffers(cloud::Offers& own, const model::Cluster& cluster) : own_(own), cluster_(cluster) {}

    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;
    std::string why_no_types(const api::NodePool& pool) override { return own_.why_no_types(pool); }

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

    cloud::Offers& own_;
    const model::Cluster& cluster_;
    std::uint64_t seen_version_ = 0;
    Inputs seen_;
    model::OverlaidTypes overlaid_;
};

}  // namespace joiner::control
