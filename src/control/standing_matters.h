// Takes back from the decision log what was decided about a node on a matter that has come to nothing: it is
// empty no more, has not drifted, is well again. To be asked where something about the node has changed, so
// that nobody need go over all of them. Loop thread.
#pragma once

#include <functional>
#include <string>

#include "io/loop.h"
#include "model/cluster.h"
#include "observe/decision_log.h"

namespace joiner::control {

class StandingMatters {
  public:
    // Whether a node is sick, as the repair that is in use sees it.
    using IsSick = std::function<bool(const model::ClaimState&, const model::NodeState&)>;

    StandingMatters(const io::Loop& loop, const model::Cluster& cluster, observe::DecisionLog& decisions,
                    IsSick is_sick)
        : loop_(loop), cluster_(cluster), decisions_(decisions), is_sick_(std::move(is_sick)) {}

    // Something about the claim, its node or the pods there has changed.
    void review(const std::string& claim);

  private:
    bool stands(observe::Matter matter, const model::ClaimState& claim, const model::NodeState& node) const;

    const io::Loop& loop_;
    const model::Cluster& cluster_;
    observe::DecisionLog& decisions_;
    IsSick is_sick_;
};

}  // namespace joiner::control
