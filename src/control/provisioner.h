// When to plan, and what becomes of a plan: gathers pods into a batch, plans on the newest snapshot, has the
// claims created, and remembers which pod is meant for which claim until it is bound. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "act/lifecycle.h"
#include "act/planned_book.h"
#include "act/services.h"
#include "base/rng.h"
#include "control/batch_window.h"
#include "control/binding_windows.h"
#include "control/coming_places.h"
#include "control/commitment_book.h"
#include "control/headroom_book.h"
#include "control/holds.h"
#include "control/kept_places.h"
#include "control/options.h"
#include "control/placement_notes.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "observe/decision_log.h"
#include "observe/metrics.h"
#include "plan/plan.h"

namespace joiner::control {

class Provisioner {
  public:
    // `facts_are_fresh()`: no watch that planning reads is broken.
    Provisioner(act::Services& services, const Options& options, observe::Metrics& metrics,
                observe::DecisionLog& decisions, Rng rng, std::function<bool()> facts_are_fresh,
                act::PlannedBook& planned, KeptPlaces& places, ComingPlaces& coming,
                const act::Lifecycle& lifecycle, const BindingWindows& binding_windows)
        : services_(services),
          options_(options),
          metrics_(metrics),
          decisions_(decisions),
          rng_(rng),
          facts_are_fresh_(std::move(facts_are_fresh)),
          planned_(planned),
          places_(places),
          coming_(coming),
          lifecycle_(lifecycle),
          binding_windows_(binding_windows),
          notes_(services, decisions),
          holds_(services, notes_),
          headroom_(services.cluster),
          commitments_(services.providers, options.commitments),
          batch_window_(options.batch_idle, options.batch_max) {}

    // Leadership begins: from here on plans are made.
    void start();

    void pod_changed(const model::PodState* before, const model::PodState* after);
    void claim_changed(const std::string& name);
    // Pools, classes or nodes changed: what waited may have a place now.
    void world_changed();
    // The provider has not made an instance of the claim.
    void launch_failed(const api::NodeClaim& claim, const Error& error);
    // The claim was deleted before its node came up; `reason` as the metrics name it, `why` in one sentence.
    void given_up(const api::NodeClaim& claim, std::string_view reason, const std::string& why) {
        holds_.note_given_up(claim, reason, why);
    }
    // Why nothing is bought from the pool now; nullptr: it may be.
    const PoolDoubts::Doubt* doubt(const std::string& pool) const { return holds_.doubt(pool); }
    // A CapacityBuffer, or what one refers to, changed.
    void headroom_changed();

    // A batch is planned soon: there are pods without a plan.
    void trigger();
    act::PlannedBook& planned() const { return planned_; }

    // The planning question as it is now, or with the nodes of some claims gone.
    model::Snapshot make_snapshot(KeptPlaces::For asker, const model::ClaimNames* leaving = nullptr,
                                  const model::ClaimNames* gives_back = nullptr) const;
    // What it is made from; refers to this object.
    model::SnapshotInputs snapshot_inputs() const;
    plan::ProvisionOptions plan_options(std::size_t pods) const;
    struct Purpose {
        std::string_view reason;        // For the metrics.
        std::string launch_group = {};  // As act::launch_groups() has it.
    };
    // Has a claim created, under the name it returns. `done` hears whether the API server has it.
    std::string create(const model::PoolView& pool, const plan::MachineSpec& spec, const Purpose& purpose,
                       std::function<void(Status)> done);
    // Of claims that are about to be created together.
    std::vector<std::string> launch_groups(
        const std::vector<std::shared_ptr<const plan::MachineSpec>>& specs);
    // It was asked for, and the watch has not shown it yet.
    bool is_creating(const std::string& claim) const { return creating_.contains(claim); }
    // No batch is open, and every claim that was planned is seen in the watch.
    bool is_idle() const { return creating_.empty() && batch_timer_ == 0; }

    // What the last plan made of the CapacityBuffers.
    const HeadroomBook& headroom() const { return headroom_; }
    // Claims whose nodes are needed for pods that are still to be made.
    const model::ClaimNames& coming_claims() const { return coming_.claims(); }
    // What is paid for already. Stands until the loop's next turn.
    const rules::Commitments& commitments() const { return commitments_.all(); }

  private:
    void close_batch();
    void plan();
    bool may_plan() const;
    void pod_came(const model::PodState& pod);
    bool goes_to_its_place(const model::PodState& pod);
    bool goes_where_it_was_expected(const model::PodState& pod);
    model::Snapshot make_question();
    void say_nominated(const model::PodId& pod, const std::string& claim);
    // The claim's node may be the scheduler's already.
    bool has_begun_to_open(const std::string& claim) const;
    void carry_out(const model::Snapshot& snapshot, const plan::Plan& plan);
    void launch(const model::Snapshot& snapshot, const plan::Launch& launch, const std::string& group,
                const plan::Reason& whole);
    void plan_pod(const model::PodView& pod, const std::string& claim);
    void release(const std::string& claim);
    bool wants_room(const model::PodState& pod) const;
    // Which pools nothing may be bought from now, or no more.
    void decide_on_pools(const model::Snapshot& snapshot);
    void say_late(const std::string& claim);
    void plan_when_holds_end();
    void sweep();
    bool is_usable(const api::NodePool& pool) const;

    act::Services& services_;
    const Options& options_;
    observe::Metrics& metrics_;
    observe::DecisionLog& decisions_;
    Rng rng_;
    std::function<bool()> facts_are_fresh_;
    act::PlannedBook& planned_;
    KeptPlaces& places_;
    ComingPlaces& coming_;
    const act::Lifecycle& lifecycle_;
    const BindingWindows& binding_windows_;
    PlacementNotes notes_;
    Holds holds_;
    HeadroomBook headroom_;
    CommitmentBook commitments_;
    bool started_ = false;
    io::TimerId hold_timer_ = 0;
    std::set<std::string, std::less<>> creating_;
    io::TimerId batch_timer_ = 0;
    BatchWindow batch_window_;
    bool some_wait_ = false;
    bool some_are_held_ = false;
    std::uint64_t planned_version_ = 0;  // Of the cluster, when it was last planned for.
};

}  // namespace joiner::control
