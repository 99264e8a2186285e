// Makes the node classes that the first API needs: an EC2NodeClass of each AWSNodeTemplate, and of each
// Provisioner that has an inline provider or kubelet settings of its own. It keeps them as what they are made
// of, takes them away after it, and writes into an AWSNodeTemplate's status what the cloud has found for its
// class. A class that was not made here is never touched. It hands the nodes of a Provisioner over to a
// NodePool of the same name. Loop thread.
#pragma once

#include <string>

#include "act/services.h"
#include "act/settled_patches.h"
#include "model/first_api.h"

namespace joiner::control {

class FirstApiKeeper {
  public:
    explicit FirstApiKeeper(act::Services& services) : services_(services), patches_(services) {}

    // Reconciles all of them; cheap when nothing is to be done.
    void reconcile();

  private:
    void hand_over(const api::NodeClaim& claim);
    void keep_classes();
    void keep(const model::MadeClass& wanted);
    void create(const model::MadeClass& wanted);
    void replace_spec(const api::NodeClass& there, const model::MadeClass& wanted);
    void let_go(const api::NodeClass& node_class);
    void tell_template(const api::NodeClass& node_template);

    act::Services& services_;
    act::SettledPatches patches_;
    act::Settling requests_;  // Those that are no merge patches; by the class's name.
};

}  // namespace joiner::control
