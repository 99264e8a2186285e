// What is decided about a node's end, for the decision log. Loop thread.
#pragma once

#include <string_view>
#include <vector>

#include "model/cluster.h"
#include "observe/decision_log.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {

// `reason`: one of plan::kDisruptionReasons.
observe::Matter matter_of(std::string_view reason);

class NodeDecisions {
  public:
    NodeDecisions(observe::DecisionLog& log, const model::Cluster& cluster) : log_(log), cluster_(cluster) {}

    // Of the node of the claim; nothing where there is none.
    void record(const std::string& claim, observe::Matter matter, observe::Verdict verdict,
                plan::SharedReasons reasons, WallTime now);
    void keep(const std::string& claim, observe::Matter matter, plan::Reasons reasons, WallTime now) {
        record(claim, matter, observe::Verdict::kKept, plan::share(std::move(reasons)), now);
    }
    void keep(const std::vector<plan::Blocked>& all, observe::Matter matter, WallTime now) {
        for (const plan::Blocked& one : all) keep(one.claim, matter, one.reasons, now);
    }
    // Whether pools may be disrupted, as the gate was asked.
    void record(const plan::DisruptionGate& gate, WallTime now);

  private:
    observe::DecisionLog& log_;
    const model::Cluster& cluster_;
};

}  // namespace joiner::control
