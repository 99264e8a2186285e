// What is decided about a claim, for the decision log: that it is bought, what came of its launch, and why it
// ends. Loop thread.
#pragma once

#include <string>
#include <string_view>

#include "api/karpenter.h"
#include "base/result.h"
#include "observe/decision_log.h"
#include "plan/plan.h"

namespace joiner::control {

// Why a machine is bought under the claim, and what it may become.
plan::Reason bought(plan::Rule rule, const std::string& claim, const plan::MachineSpec& spec,
                    std::size_t pods);
// The claim is asked for, and has no uid yet.
void decide_on_claim(observe::DecisionLog& log, const std::string& claim, plan::Reasons reasons,
                     WallTime now);
void note_launch_failed(observe::DecisionLog& log, const api::NodeClaim& claim, const Error& error,
                        WallTime now);
void note_came_up(observe::DecisionLog& log, const api::NodeClaim& claim, const std::string& node,
                  WallTime now);
// It did not; `why` in one sentence.
void note_given_up(observe::DecisionLog& log, const api::NodeClaim& claim, const std::string& why,
                   WallTime now);
// It is deleted; `reason` as the metrics name it.
void note_ended(observe::DecisionLog& log, const api::NodeClaim& claim, std::string_view reason,
                WallTime now);

}  // namespace joiner::control
