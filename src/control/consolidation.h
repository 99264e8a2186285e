// When consolidation is planned, and what becomes of a plan. Planned again only once facts have changed and
// come to rest, when time brings another node in, or every five minutes; plans in pieces that leave the loop
// to others between; holds each step against the newest snapshot and hands it to the Disruptor, as many side
// by side as the gate lets through. Steps the gate keeps wait a while. Pods that wait for a node come first,
// and so does emptiness. Nothing of it outlives the process. Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "control/disruption.h"
#include "control/provisioner.h"
#include "observe/metrics.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/repack.h"
#include "plan/disrupt/step_check.h"

namespace joiner::control {

class Consolidation {
  public:
    Consolidation(act::Services& services, Provisioner& provisioner, const Disruption& disruption,
                  observe::Metrics& metrics, observe::DecisionLog& decisions, plan::RepackOptions options)
        : services_(services),
          provisioner_(provisioner),
          disruption_(disruption),
          metrics_(metrics),
          nodes_(decisions, services.cluster),
          options_(options) {}

    // A pod came to a node, ended there or is on its way out.
    void note_pod_event() { ++pod_events_; }
    // Each second. REQUIRES: the watches are fresh.
    void reconcile();
    // Leadership is lost or the process ends: no piece runs any more.
    void stop() {
        candidates_.reset();
        is_planning_ = false;
        run_.reset();
    }

  private:
    enum class Verdict { kBegun, kLater, kDropped };

    void watch_facts();
    void watch_slides();
    bool is_due() const;
    bool may_begin();
    bool is_emptiness_first();
    void ask();
    void leave_at_rest(plan::Consolidatable& found);
    void report(const plan::Consolidatable& found);
    void keep(const plan::Candidate& one, plan::Reason why);
    void drop(const plan::RepackStep& step);
    void plan_soon();
    void plan_on();
    bool plan_a_piece();
    void make_question();
    // True: the plan has steps that no budget lets go at once, and is made again.
    bool bound_by_budgets();
    void conclude();
    void hand_over();
    struct Round;
    Verdict hand_over(const plan::RepackStep& step, Round& round);

    act::Services& services_;
    Provisioner& provisioner_;
    const Disruption& disruption_;
    observe::Metrics& metrics_;
    NodeDecisions nodes_;
    plan::RepackOptions options_;

    std::uint64_t pod_events_ = 0;
    std::array<std::uint64_t, 3> pod_events_before_{};  // At the last passes, the oldest first.
    bool is_sliding_ = false;                           // Pods come or go by the crowd.
    std::uint64_t mark_ = 0;
    std::optional<WallTime> changed_first_;  // Of the changes not reconciled yet.
    WallTime changed_last_ = kNoTime;
    WallTime reconciled_at_ = kNoTime;
    WallTime not_before_ = kNoTime;
    std::optional<WallTime> look_again_at_;
    std::optional<WallTime> waits_for_empty_since_;

    bool is_planning_ = false;
    std::optional<plan::Consolidatable> candidates_;  // Found, and no question made of them yet.
    plan::RepackQuestion question_;
    std::unique_ptr<plan::Repack> run_;    // While it searches.
    Duration spent_{0};                    // By what is being planned.
    std::vector<plan::RepackStep> steps_;  // Not begun yet.
    WallTime steps_until_ = kNoTime;
};

}  // namespace joiner::control
