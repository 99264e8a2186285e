// Carries out the end of a node: what the next step is, plan/lifecycle/node_step says. Loop thread.
#pragma once

#include <map>
#include <string>

#include "act/object_writer.h"
#include "act/services.h"
#include "act/surge.h"
#include "plan/lifecycle/node_step.h"

namespace joiner::act {

class NodeEnd {
  public:
    NodeEnd(Services& services, ObjectWriter& writer)
        : services_(services), writer_(writer), surge_(services) {}

    // REQUIRES: the node is deleting and carries our finalizer.
    void step(const model::NodeState& node);
    // Evicts the pods that the step names from a node that stays, and says what it remarks on.
    void evict_some(const plan::NodeStep& step, const api::Node& node);
    // Each second: evicts pods that were replaced, whatever became of the node that was to go.
    void reconcile_surges();
    // Now and then.
    void sweep() { surge_.forget_gone(); }
    // Of a node that is no more.
    void forget(const std::string& node) {
        tainted_.erase(node);
        asked_.erase(node);
        not_before_.erase(node);
    }

  private:
    void perform(const plan::NodeStep& step, const model::NodeState& node, const model::ClaimState* claim);
    void ask_instance(const api::Node& node);
    void taint(const api::Node& node);
    void say(const plan::NodeStep& step, const api::Node& node);
    void evict(const model::PodKey& key);
    void force(const plan::NodeStep::Forced& forced);
    // False: it was asked of the pod a moment ago.
    bool may_ask(const model::PodState& pod);
    void refused(const model::PodKey& key, const std::string& uid, const std::string& node,
                 const Error& error);

    Services& services_;
    ObjectWriter& writer_;
    Surge surge_;
    std::map<std::string, WallTime> tainted_;  // When a deleting node's taint was first seen.
    std::map<std::string, WallTime> asked_;    // Nodes whose instance was found there: when.
    // By node, then pod uid: no eviction is asked for before.
    std::map<std::string, std::map<std::string, WallTime>> not_before_;
};

}  // namespace joiner::act
