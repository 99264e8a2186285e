// A provider whose prices and capacities are what NodeOverlays say, for all who ask: planning, disruption and
// launching. Everything else is the provider's own. Owned by control; loop thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/provider.h"
#include "model/cluster.h"
#include "model/overlaid_types.h"

namespace joiner::control {

class OverlaidProvider final : public cloud::Provider {
  public:
    OverlaidProvider(cloud::Provider& own, const model::Cluster& cluster) : own_(own), cluster_(cluster) {}

    std::string_view name() const override { return own_.name(); }
    bool serves(const api::NodeClassReference& node_class) const override { return own_.serves(node_class); }
    const rules::RestrictedLabels& labels() const override { return own_.labels(); }
    cloud::InstanceTypes instance_types(const api::NodePool& pool) override;
    std::string drift_reason(const api::NodeClaim& claim, const api::NodePool& pool) override {
        return own_.drift_reason(claim, pool);
    }
    std::vector<rules::RepairPolicy> repair_policies() const override { return own_.repair_policies(); }
    std::vector<cloud::RegistrationHook*> registration_hooks() override { return own_.registration_hooks(); }
    void create(const api::NodeClaim& claim, std::function<void(Result<cloud::Instance>)> done) override {
        own_.create(claim, std::move(done));
    }
    void remove(const std::string& provider_id, std::function<void(Status)> done) override {
        own_.remove(provider_id, std::move(done));
    }
    void get(const std::string& provider_id, std::function<void(Result<cloud::Instance>)> done) override {
        own_.get(provider_id, std::move(done));
    }
    void list(std::function<void(Result<std::vector<cloud::Instance>>)> done) override {
        own_.list(std::move(done));
    }

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

    cloud::Provider& own_;
    const model::Cluster& cluster_;
    std::uint64_t seen_version_ = 0;
    Inputs seen_;
    model::OverlaidTypes overlaid_;
};

}  // namespace joiner::control
