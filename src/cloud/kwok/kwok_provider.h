// The provider for clusters of KWOK's pretend nodes, compatible with Karpenter's: an instance is a Node
// object that this provider makes. Repeatable by construction: the node's name follows from the claim. Loop
// thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"
#include "cloud/provider.h"
#include "io/loop.h"

namespace joiner::cloud::kwok {

// How the provider reaches the cluster; control gives it the client and the model behind these.
struct ClusterAccess {
    std::function<void(const api::Node& node, std::function<void(Status)> done)> create_node;
    std::function<void(const std::string& name, std::function<void(Status)> done)> delete_node;
    std::function<void(const std::string& node, const std::string& boot_id, std::function<void(Status)> done)>
        set_boot_id;
    std::function<std::vector<api::Node>()> nodes;
    // nullptr: there is none.
    std::function<const api::Node*(const std::string& name)> find_node;
    // The claim that records this provider id; nullptr: none does.
    std::function<const api::NodeClaim*(const std::string& provider_id)> claim_with_id;
    // nullptr: there is no such class.
    std::function<const api::NodeClass*(const api::NodeClassReference&)> node_class;
};

class KwokProvider final : public Provider {
  public:
    KwokProvider(io::Loop& loop, std::vector<rules::InstanceType> types, ClusterAccess access);

    std::string_view name() const override { return "kwok"; }
    std::vector<NodeClassResource> node_class_resources() const override;
    const rules::RestrictedLabels& labels() const override { return labels_; }
    Result<InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass*) override {
        return types_;
    }
    std::vector<rules::RepairPolicy> repair_policies() const override;
    void create(const LaunchRequest& request, LaunchDone done) override;
    void remove(const std::string& provider_id, std::function<void(Status)> done) override;
    void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) override;
    void list(std::function<void(Result<std::vector<Instance>>)> done) override;
    // There is nothing to start anew: the node gets another boot id, which is what tells of it.
    bool can_reboot() const override { return true; }
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override;

  private:
    // Makes the instance's node, `delay` from now.
    void bring_up(const api::NodeClaim& claim, Instance instance, Duration delay,
                  std::function<void(Result<Instance>)> done);
    template <typename T>
    void answer_soon(std::function<void(T)> done, T answer);

    io::Loop& loop_;
    InstanceTypes types_;
    rules::RestrictedLabels labels_;
    ClusterAccess access_;
    // Nodes that are to appear later; one that is asked for again meanwhile keeps its moment.
    std::map<std::string, io::TimerId> delayed_;
};

// "kwok-<claim>-<number from the uid>", the same for the same claim, every time.
std::string node_name(const api::NodeClaim& claim);

}  // namespace joiner::cloud::kwok
