// Voluntary disruption, carried out with replacement first. A command marks the leaving nodes (taint and
// condition), has launched what their pods need, waits until that is initialised, closes the nodes that the
// pods will go to, so that they are bound where they were planned, and only then deletes the leaving claims;
// the drain is act::Lifecycle's. Until then everything that made the nodes candidates is asked again. An
// objection ends the command, as a launch does that fails or is late, and the marks come off. What is to be
// disrupted is decided elsewhere: by whoever asks facts() and gate(), and hands commands to start().
//
// Nothing of it outlives the process but the marks, and marks without a command are taken off. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/moves.h"
#include "control/node_decisions.h"
#include "control/proofs.h"
#include "control/provisioner.h"
#include "observe/metrics.h"
#include "plan/disrupt/breaker.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/command.h"
#include "plan/disrupt/gate.h"
#include "plan/disrupt/repair.h"
#include "plan/disrupt/rollout.h"

namespace joiner::control {

class Disruptor {
  public:
    // When a pod last came to or left the claim's node, by claim name.
    using PodEvents = std::map<std::string, WallTime, std::less<>>;

    // `repair_policies`: what makes a node sick; none where nothing is repaired.
    Disruptor(act::Services& services, Provisioner& provisioner, act::Lifecycle& lifecycle,
              const PodEvents& last_pod_event, const plan::RepairPoliciesByClass& repair_policies,
              observe::Metrics& metrics, observe::DecisionLog& decisions)
        : services_(services),
          provisioner_(provisioner),
          lifecycle_(lifecycle),
          last_pod_event_(last_pod_event),
          repair_policies_(repair_policies),
          metrics_(metrics),
          decisions_(decisions),
          nodes_(decisions, services.cluster) {}

    // Takes each command one step further. Cheap while there is none; for when claims or nodes have changed.
    void step();
    // Each second: what only time brings on, and marks that have no command. REQUIRES: the watches are fresh.
    void look();

    // Nothing is under way that a plan made now would not see: no batch of pods, no claim that the watch has
    // not shown, no command whose launches are still to be named.
    bool may_start() const;
    // Begins to carry out what was planned on `snapshot`. Commands that were planned beside each other may be
    // started one after the other. REQUIRES: may_start() before the first, and a gate admitted the nodes.
    void start(const model::Snapshot& snapshot, const plan::DisruptionCommand& command);

    // What any method chooses from and must ask. The facts refer to this object.
    plan::DisruptionFacts facts() const;
    plan::DisruptionGate gate();
    // Claims that commands under way remove.
    const model::ClaimNames& leaving() const { return leaving_; }
    // Says on the pools, or on a node and its claim, why they are not touched.
    void report(const plan::DisruptionGate& gate);
    void say_blocked(const plan::Blocked& blocked, const std::string& reason = "DisruptionBlocked");
    // Both for people and for the decision log.
    void keep(const plan::Blocked& blocked, observe::Matter matter,
              const std::string& reason = "DisruptionBlocked");
    // A command that would have removed the claim has failed just now, or its pods had no place; others get
    // their turn.
    void put_off(const std::string& claim);
    bool is_put_off(const std::string& claim) const;
    bool is_pool_put_off(const std::string& pool) const;
    // Commands with pods, and pods still to be proved, that began for the reason.
    plan::PoolCounts moving(std::string_view reason) const;
    // All that pods of commands under way will take, wherever they are on their way.
    model::ReservedRoom claimed_room() const;
    // No command was begun lately whose pods are still on their way.
    bool is_settled() const;
    // Pools where consolidation lately did not end as planned, so that it is not tried for a while, and why.
    std::map<std::string, std::string, std::less<>> fruitless_pools() const;
    Moves& moves() { return moves_; }
    // The question "where would their pods go?" for these nodes. Without the last resort, nodes that are
    // about to go themselves take none of them.
    enum class Rooms { kThatStay, kWithLastResort };
    model::Snapshot snapshot_without(const std::vector<plan::Candidate>& leaving,
                                     Rooms rooms = Rooms::kThatStay);
    // Claims of nodes that are about to go for what they are: drifted, or near the end of their time.
    model::ClaimNames outgoing();

    // The claim that room is kept on for a pod that was moved and made again; each place is given once.
    // Empty: there is none, or not yet.
    std::string take_place(const model::PodState& pod);
    // Pods are still to be bound on the claim's node, so its window must not open.
    bool keeps_closed(const std::string& claim) const;

    // A pod has come to a node: it may be one that was moved.
    void note_bound(const model::PodState& pod);

    // A node of the pool has registered, or its launch was given up.
    void note_launch(const std::string& pool, bool has_come_up);

  private:
    enum class Phase { kMark, kWait, kClose, kLeave };
    // A pod that moves, as the one that is made in its stead will look.
    struct Mover {
        std::string kin;
        std::shared_ptr<const rules::PodShape> shape;
    };
    struct Launch {
        std::shared_ptr<const plan::MachineSpec> spec;
        model::PoolView pool;
        rules::Resources reserved;  // What the moving pods will take of it.
        std::vector<Mover> movers;
    };
    struct Place {
        Mover mover;
        std::string claim;
    };
    struct Command {
        std::uint64_t number = 0;
        Phase phase = Phase::kMark;
        std::string reason;
        std::string pool;                  // Of the first leaving node; what comes of it is held against it.
        std::vector<std::string> leaving;  // Claims.
        std::vector<Launch> launches;      // To be created once all is marked.
        std::set<std::string> created;     // Claims.
        std::set<std::string> places;      // Claims its pods move to.
        model::ReservedRoom reserved;      // Heeded until the pods themselves ask for the room.
        std::vector<Place> kept;           // Not taken yet.
        std::set<std::string> kin;         // Of the pods that move.
        std::set<model::PodKey> arrived;   // Pods of that kin which came to a node since.
        bool binds = true;                 // Else the scheduler is to place the pods, wherever it likes.
        // Claims whose nodes the scheduler is to be told to pass over before it places the pods.
        std::set<std::string> untold;
        bool has_strays = false;       // Another node was bought for some.
        WallTime closed_at = kNoTime;  // When all nodes that pods go to were seen closed.
        WallTime up_at = kNoTime;
        WallTime launched_at = kNoTime;
        WallTime left_at = kNoTime;           // When the leaving claims were first deleted.
        WallTime deleted_at = kNoTime;        // And last.
        WallTime gone_at = kNoTime;           // When the last of them was.
        std::optional<Duration> drain_bound;  // Pods that are not gone by then after left_at are deleted.
        WallTime taken_at = kNoTime;          // When a pod last came to its place.
        bool pods_were_ready = true;
        bool has_failed = false;    // A claim could not be created.
        bool has_lost_one = false;  // A leaving claim was deleted by somebody else before it was marked.
        // Its pods have had their time to move: what drains still holds up its own node and nothing else.
        bool is_proving = false;
        std::optional<plan::Reason> objection;  // Why it must not go on.
    };
    enum class Progress { kStays, kFailed, kDone };

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
    // Asks all that are not irrevocable yet whether they may go on.
    void ask_again();
    std::optional<plan::Reason> objection(const Command& command, const plan::CandidateFinder& finder,
                                          const plan::DisruptionGate& gate) const;
    std::optional<plan::Reason> budget_objection(const Command& command) const;
    // Why its nodes are to go, for the decision log.
    void decide_to_leave(const model::Snapshot& snapshot, const plan::DisruptionCommand& command);
    // Asks for the claim's deletion, with its deadline set before where the command bounds the drain.
    void remove(const Command& command, const std::string& claim, bool asks);
    // How long a budget may allow nothing before that ends a command.
    Duration budget_patience() const;
    plan::PoolCounts leaving_nodes(const Command& command) const;
    void prove(Command& command);
    void end(Command& command, Progress progress);
    void refresh();
    void take_off_stray_marks();
    // Replacements of commands that were given up, and that do not come up even so.
    void send_latecomers_away();
    void look_after_inherited();
    void look_for_strays();
    void look_at_breaker();
    // An Event on the claim, and on its node where there is one.
    void say(const std::string& claim, const std::string& reason, const std::string& message);

    act::Services& services_;
    Provisioner& provisioner_;
    act::Lifecycle& lifecycle_;
    const PodEvents& last_pod_event_;
    const plan::RepairPoliciesByClass& repair_policies_;
    observe::Metrics& metrics_;
    observe::DecisionLog& decisions_;
    NodeDecisions nodes_;
    std::map<std::uint64_t, Command> commands_;  // In the order they began.
    std::uint64_t next_command_ = 0;
    Proofs proofs_;
    std::map<std::string, WallTime> latecomers_;  // Claims, and how long they are waited for.
    Moves moves_;
    model::ClaimNames leaving_;      // Of all commands.
    model::ClaimNames in_commands_;  // Those, what replaces them, and what is still to be proved.
    plan::Breaker breaker_;
    plan::Breaker fruitless_;
    std::map<std::string, std::string, std::less<>> held_pools_;
    std::map<std::string, std::int64_t> pool_generations_;
    // Claims found on their way up at the start: they may be replacements that a process before us launched.
    std::optional<model::ClaimNames> inherited_;
    WallTime began_at_ = kNoTime;
    std::map<std::string, WallTime, std::less<>> not_before_;       // Claims whose pods had no place lately.
    std::map<std::string, WallTime, std::less<>> pool_not_before_;  // Pools whose replacements failed lately.
};

}  // namespace joiner::control
