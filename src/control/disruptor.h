// Voluntary disruption, carried out with replacement first. A command marks the leaving nodes (taint and
// condition), has launched what their pods need, waits until that is initialised, closes the nodes that the
// pods will go to, so that they are bound where they were planned, and only then deletes the leaving claims;
// the drain is act::Lifecycle's. Until then everything that made the nodes candidates is asked again
// (Objections). An objection ends the command, as a launch does that fails or is late, and the marks come
// off. What is to be disrupted is decided elsewhere, by whoever hands commands to start().
//
// Nothing of it outlives the process but the marks, and marks without a command are taken off. Loop thread.
#pragma once

#include <string>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/disruption_ground.h"
#include "control/disruption_ledger.h"
#include "control/disruption_notes.h"
#include "control/kept_places.h"
#include "control/latecomers.h"
#include "control/objections.h"
#include "control/proofs.h"
#include "control/provisioner.h"
#include "control/running_command.h"
#include "control/savings.h"

namespace joiner::control {

class Disruptor {
  public:
    Disruptor(act::Services& services, Provisioner& provisioner, act::Lifecycle& lifecycle,
              KeptPlaces& places, const DisruptionGround& ground, DisruptionLedger& ledger,
              DisruptionNotes& notes, const plan::RepairPoliciesByClass& repair_policies, Savings& savings)
        : services_(services),
          provisioner_(provisioner),
          lifecycle_(lifecycle),
          places_(places),
          ground_(ground),
          ledger_(ledger),
          notes_(notes),
          savings_(savings),
          objections_(services, ground, ledger, repair_policies),
          latecomers_(services, provisioner.planned(), lifecycle) {}

    // Takes each command one step further. Cheap while there is none; for when claims or nodes have changed.
    void step();
    // Each second: what only time brings on, and marks that have no command. REQUIRES: the watches are fresh.
    void reconcile();

    // Nothing is under way that a plan made now would not see: no batch of pods, no claim that the watch has
    // not shown, no command whose launches are still to be named.
    bool may_start() const;
    // Begins to carry out what was planned on `snapshot`. Commands that were planned beside each other may be
    // started one after the other. REQUIRES: may_start() before the first, and a gate admitted the nodes.
    void start(const model::Snapshot& snapshot, const plan::DisruptionCommand& command);

    // Commands with pods, and pods still to be proved, that began for the reason.
    plan::PoolCounts moving(std::string_view reason) const;
    // What is under way, for whoever shows it.
    const RunningCommands& commands() const { return commands_; }
    // No command was begun lately whose pods are still on their way.
    bool is_settled() const;
    // A pod has come to a node: it may be one that was moved.
    void note_bound(const model::PodState& pod);

  private:
    using Command = RunningCommand;
    using Phase = RunningCommand::Phase;
    enum class Progress { kStays, kFailed, kDone };

    // What it keeps for the pods it moves. Sets what follows from the pods in `command` too.
    KeptPlaces::Kept keep(const model::Snapshot& snapshot, const plan::DisruptionCommand& planned,
                          Command& command);
    Progress step(Command& command);
    Progress mark(Command& command);
    Progress wait(Command& command);
    Progress close(Command& command);
    // Room on nodes that are about to go is open, and the scheduler is quicker than we are: it would take
    // that rather than wait for nodes that are closed. Then all are left open, and it is told which to pass
    // over.
    void leave_to_scheduler(Command& command);
    Progress leave(Command& command);
    void create(Command& command);
    // Asks for the claim's deletion, with its deadline set before where the command bounds the drain.
    void remove(const Command& command, const std::string& claim, bool asks);
    // How long a budget may allow nothing before that ends a command.
    Duration budget_patience() const;
    void prove(Command& command);
    void end(Command& command, Progress progress);
    void give_up(const Command& command);
    // The ledger's claims follow from the commands.
    void refresh();
    void take_off_stray_marks();
    void look_for_strays();

    act::Services& services_;
    Provisioner& provisioner_;
    act::Lifecycle& lifecycle_;
    KeptPlaces& places_;
    const DisruptionGround& ground_;
    DisruptionLedger& ledger_;
    DisruptionNotes& notes_;
    Savings& savings_;
    Objections objections_;
    Latecomers latecomers_;
    RunningCommands commands_;
    KeptPlaces::Number next_command_ = 0;
    Proofs proofs_;
};

}  // namespace joiner::control
