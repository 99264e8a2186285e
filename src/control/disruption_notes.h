// What is said of voluntary disruption: Events on nodes, claims and pools for people, and the decision log.
// Loop thread.
#pragma once

#include <string>

#include "act/services.h"
#include "control/node_decisions.h"
#include "plan/disrupt/command.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {

class DisruptionNotes {
  public:
    DisruptionNotes(act::Services& services, observe::DecisionLog& decisions)
        : services_(services), nodes_(decisions, services.cluster) {}

    // What the gate was asked, and why it keeps the nodes of pools.
    void report(const plan::DisruptionGate& gate);
    // Why a node is kept: an Event on it and on its claim, and the decision.
    void keep(const plan::Blocked& blocked, observe::Matter matter,
              const std::string& reason = "DisruptionBlocked");
    // The Event alone.
    void say_blocked(const plan::Blocked& blocked, const std::string& reason = "DisruptionBlocked");
    // An Event on the claim, and on its node where there is one.
    void say(const std::string& claim, const std::string& reason, const std::string& message);
    // Why the command's nodes are to go. Indexes refer to the snapshot.
    void leave(const model::Snapshot& snapshot, const plan::DisruptionCommand& command);
    // The command has come to nothing for the claim's node.
    void give_up(const std::string& claim, std::string_view reason, const plan::SharedReasons& why);

  private:
    act::Services& services_;
    NodeDecisions nodes_;
};

}  // namespace joiner::control
