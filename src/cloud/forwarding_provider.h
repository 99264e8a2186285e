// A provider that stands before another and is all that the other is: a base for those that change one thing.
// Borrows the other. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cloud/provider.h"

namespace joiner::cloud {

class ForwardingProvider : public Provider {
  public:
    explicit ForwardingProvider(Provider& own) : own_(own) {}

    std::string_view name() const override { return own_.name(); }
    std::vector<NodeClassResource> node_class_resources() const override {
        return own_.node_class_resources();
    }
    const rules::RestrictedLabels& labels() const override { return own_.labels(); }
    Result<InstanceTypes> instance_types(const api::NodePool& pool,
                                         const api::NodeClass* node_class) override {
        return own_.instance_types(pool, node_class);
    }
    std::shared_ptr<const rules::Commitments> commitments() const override { return own_.commitments(); }
    bool shows_offerings() const override { return own_.shows_offerings(); }
    void reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                   std::function<void(Result<WantedClassState>)> done) override {
        own_.reconcile(node_class, facts, std::move(done));
    }
    DriftAnswer drift(const api::NodeClaim& claim, const api::NodePool& pool,
                      const api::NodeClass* node_class) override {
        return own_.drift(claim, pool, node_class);
    }
    std::vector<rules::RepairPolicy> repair_policies() const override { return own_.repair_policies(); }
    std::vector<RegistrationHook*> registration_hooks() override { return own_.registration_hooks(); }
    void create(const LaunchRequest& request, LaunchDone done) override {
        own_.create(request, std::move(done));
    }
    void remove(const std::string& provider_id, std::function<void(Status)> done) override {
        own_.remove(provider_id, std::move(done));
    }
    void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) override {
        own_.get(provider_id, std::move(done));
    }
    void list(std::function<void(Result<std::vector<Instance>>)> done) override {
        own_.list(std::move(done));
    }
    bool must_hear_of_node(const api::NodeClaim& claim) const override {
        return own_.must_hear_of_node(claim);
    }
    void hear_of_node(const api::NodeClaim& claim,
                      std::function<void(Result<api::StringMap>)> done) override {
        own_.hear_of_node(claim, std::move(done));
    }
    bool note_node(const api::NodeClaim& claim, const api::Node& node) override {
        return own_.note_node(claim, node);
    }
    bool can_reboot() const override { return own_.can_reboot(); }
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override {
        own_.reboot(claim, operation, std::move(done));
    }

  protected:
    Provider& own_;
};

}  // namespace joiner::cloud
