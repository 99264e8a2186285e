// What is said of voluntary disruption: Events on nodes, claims and pools for people, the decision log, the
// log and the metrics. Loop thread.
#pragma once

#include <string>
#include <vector>

#include "act/services.h"
#include "control/node_decisions.h"
#include "observe/metrics.h"
#include "plan/disrupt/command.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {

class DisruptionNotes {
  public:
    DisruptionNotes(act::Services& services, observe::Metrics& metrics, observe::DecisionLog& decisions)
        : services_(services),
          metrics_(metrics),
          decisions_(decisions),
          nodes_(decisions, services.cluster) {}

    // What the gate was asked, and why it keeps the nodes of pools.
    void report(const plan::DisruptionGate& gate);
    // Why a node is kept: an Event on it and on its claim, and the decision.
    void keep(const plan::Blocked& blocked, observe::Matter matter,
              const std::string& reason = "DisruptionBlocked");
    // The Event alone.
    void say_blocked(const plan::Blocked& blocked, const std::string& reason = "DisruptionBlocked");
    // An Event on the claim, and on its node where there is one.
    void say(const std::string& claim, const std::string& reason, const std::string& message);
    // The command begins: why its nodes are to go, and returns what that saves an hour. Indexes refer to the
    // snapshot.
    rules::Money leave(const model::Snapshot& snapshot, const plan::DisruptionCommand& command);
    // The claim is bought in a leaving node's stead, for so many pods.
    void replace(const std::string& claim, const plan::MachineSpec& spec, std::size_t pods);
    // A command has come to nothing.
    void fail(std::string_view reason, const std::vector<std::string>& leaving);
    // The same, for the node of one of its claims.
    void give_up(const std::string& claim, std::string_view reason, const plan::SharedReasons& why);

  private:
    void count(const plan::DisruptionCommand& command);

    act::Services& services_;
    observe::Metrics& metrics_;
    observe::DecisionLog& decisions_;
    NodeDecisions nodes_;
};

}  // namespace joiner::control
