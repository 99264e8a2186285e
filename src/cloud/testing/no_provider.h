// A cloud that does nothing, for tests to build on. It serves the node class that has no group and no kind,
// which is that of claims that name none.
#pragma once

#include "cloud/provider.h"

namespace joiner::cloud::testing {

class NoProvider : public Provider {
  public:
    std::string_view name() const override { return "none"; }
    std::vector<NodeClassResource> node_class_resources() const override { return {{}}; }
    const rules::RestrictedLabels& labels() const override { return labels_; }
    Result<InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass*) override {
        return fail(ErrorKind::kUnavailable, "this provider has no instance types");
    }
    void create(const LaunchRequest&, LaunchDone) override {}
    void remove(const std::string&, std::function<void(Status)>) override {}
    void get(const std::string&, std::function<void(Result<Instance>)>) override {}
    void list(std::function<void(Result<std::vector<Instance>>)>) override {}

  private:
    rules::RestrictedLabels labels_;
};

}  // namespace joiner::cloud::testing
