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
    std::function<const api::KWOKNodeClass*(const std::string& name)> node_class;
    // What the claim may become, where somebody knows its prices better; nullptr: the provider's own types.
    std::function<InstanceTypes(const api::NodeClaim&)> offered_to;
};

class KwokProvider final : public Provider {
  public:
    KwokProvider(io::Loop& loop, std::vector<rules::InstanceType> types, ClusterAccess access);

    std::string_view name() const override { return "kwok"; }
    std::vector<rules::NodeClassKind> node_class_kinds() const override;
    const rules::RestrictedLabels& labels() const override { return labels_; }
    InstanceTypes instance_types(const api::NodePool&) override { return types_; }
    std::vector<rules::RepairPolicy> repair_policies() const override;
    void create(const api::NodeClaim& claim, std::function<void(Result<Instance>)> done) override;
    void remove(const std::string& provider_id, std::function<void(Status)> done) override;
    void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) override;
    void list(std::function<void(Result<std::vector<Instance>>)> done) override;
    // There is nothing to start anew: the node gets another boot id, which is what tells of it.
    bool can_reboot() const override { return true; }
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override;

  private:
    struct Choice {
        const rules::InstanceType* type = nullptr;
        const rules::Offering* offering = nullptr;
    };
    Result<Choice> choose(const api::NodeClaim& claim, const std::vector<rules::InstanceType>& types) const;
    // What the claim may become.
    InstanceTypes types_for(const api::NodeClaim& claim) const;
    // What the claim says it has become; nullopt where that is no type of ours any more.
    std::optional<Instance> as_recorded(const api::NodeClaim& claim) const;
    // Makes the instance's node, `delay` from now.
    void bring_up(const api::NodeClaim& claim, Instance instance, Duration delay,
                  std::function<void(Result<Instance>)> done);
    void answer_soon(std::function<void(Result<Instance>)> done, Result<Instance> answer);

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
