// Whether what consolidation planned a while ago may still be begun, by the newest facts. Pure; one owner,
// one thread. Source: Karpenter's documented validation of consolidation commands.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/command.h"
#include "plan/disrupt/repack.h"

namespace joiner::plan {

// The step's leaving nodes as they are now; nullopt where one may not go any more, or where other pods stand
// on it than were planned for.
std::optional<std::vector<Candidate>> still_leaving(const RepackQuestion& question, const RepackStep& step,
                                                    const CandidateFinder& finder,
                                                    const model::Cluster& cluster, WallTime now);

class StepCheck {
  public:
    // Both are borrowed; `now` was made after the question.
    StepCheck(const RepackQuestion& question, const model::Snapshot& now);

    // The rooms that the step fills are as they were and hold its pods beside those of the steps taken
    // before; the pools it buys from are as they were and leave as much to buy.
    bool is_as_planned(const RepackStep& step) const;
    // The step is begun: its pods take their rooms.
    void take(const RepackStep& step);

  private:
    const model::RoomView* room_now(model::RoomIndex planned) const;

    const RepackQuestion& question_;
    std::map<std::string_view, const model::RoomView*> rooms_;
    std::map<std::string_view, const model::PoolView*> pools_;
    std::map<model::RoomIndex, rules::Resources> taken_;
};

// Indexes are those of the question's snapshot.
DisruptionCommand to_command(const RepackStep& step, std::vector<Candidate> leaving);

// The step planned anew, where its pods ask about others or rooms have changed: kUnavailable when its pods
// have no place, or only for more money. REQUIRES: as plan_replacement().
Result<DisruptionCommand> plan_step_again(const RepackQuestion& question, const RepackStep& step,
                                          const model::Snapshot& snapshot, std::vector<Candidate> leaving,
                                          const ProvisionOptions& options);

}  // namespace joiner::plan
