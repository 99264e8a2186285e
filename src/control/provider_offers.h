// What the clouds themselves offer: each pool is asked of the provider of its node class. Owned by control;
// loop thread.
#pragma once

#include "cloud/offers.h"
#include "cloud/providers.h"
#include "model/cluster.h"

namespace joiner::control {

class ProviderOffers final : public cloud::Offers {
  public:
    ProviderOffers(const cloud::Providers& providers, const model::Cluster& cluster)
        : providers_(providers), cluster_(cluster) {}

    cloud::InstanceTypes instance_types(const api::NodePool& pool) override {
        return ask(pool).value_or(nullptr);
    }
    std::string why_no_types(const api::NodePool& pool) override {
        const auto types = ask(pool);
        return types ? std::string{} : types.error().message;
    }

  private:
    Result<cloud::InstanceTypes> ask(const api::NodePool& pool) const {
        const api::NodeClassReference& reference = pool.node_template.node_class;
        return providers_.of(reference).instance_types(pool, cluster_.find_node_class(reference).get());
    }

    const cloud::Providers& providers_;
    const model::Cluster& cluster_;
};

}  // namespace joiner::control
