// What nodes cost an hour, as the clouds sell them at this moment, for whoever shows it. Owned by control;
// loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cloud/offers.h"
#include "model/cluster.h"
#include "plan/price_floor.h"

namespace joiner::control {

class NodePrices {
  public:
    NodePrices(cloud::Offers& offers, const model::Cluster& cluster) : offers_(offers), cluster_(cluster) {}

    // Asks what is sold now; what price_of() and sold() say is of this moment.
    void look();
    // By its pool's offerings, type, zone and capacity type; where they have it no more, or it is another's,
    // by its label eks-node-viewer/instance-price. nullopt: nobody says.
    std::optional<rules::Money> price_of(const api::StringMap& labels) const;
    // Of our pools: of each type its cheapest offering that the pool allows, sold out or not.
    const std::vector<plan::SoldMachine>& sold() const { return sold_; }

  private:
    struct Types {
        cloud::InstanceTypes all;
        std::unordered_map<std::string_view, const rules::InstanceType*> by_name;
        std::vector<plan::SoldMachine> sold;
        std::int64_t generation = 0;  // Of the pool.
    };

    cloud::Offers& offers_;
    const model::Cluster& cluster_;
    std::map<std::string, Types, std::less<>> by_pool_;
    std::vector<plan::SoldMachine> sold_;
};

}  // namespace joiner::control
