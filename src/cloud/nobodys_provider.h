// Stands where no provider serves a node class, so that whoever asks need not look first. Loop thread.
#pragma once

#include "cloud/provider.h"
#include "io/loop.h"

namespace joiner::cloud {

class NobodysProvider final : public Provider {
  public:
    explicit NobodysProvider(io::Loop& loop) : loop_(loop) {}

    std::string_view name() const override { return "nobody"; }
    std::vector<NodeClassResource> node_class_resources() const override { return {}; }
    const rules::RestrictedLabels& labels() const override { return labels_; }
    Result<InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass*) override {
        return not_served();
    }
    DriftAnswer drift(const api::NodeClaim&, const api::NodePool&, const api::NodeClass*) override {
        return {DriftAnswer::Kind::kNotKnown};
    }
    void create(const LaunchRequest&, LaunchDone done) override {
        loop_.post([done = std::move(done)] { done({not_served()}); });
    }
    void remove(const std::string&, std::function<void(Status)> done) override {
        loop_.post([done = std::move(done)] { done(not_served()); });
    }
    void get(const std::string&, std::function<void(Result<Instance>)> done) override {
        loop_.post([done = std::move(done)] { done(not_served()); });
    }
    void list(std::function<void(Result<std::vector<Instance>>)> done) override {
        loop_.post([done = std::move(done)] { done(not_served()); });
    }

  private:
    static tl::unexpected<Error> not_served() { return invalid("no provider here serves its node class"); }

    io::Loop& loop_;
    rules::RestrictedLabels labels_;
};

}  // namespace joiner::cloud
