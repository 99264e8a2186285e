// When to plan, and what becomes of a plan: gathers pods into a batch, plans on the newest snapshot, has the
// claims created, and remembers which pod is meant for which claim until it is bound. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "act/planned_book.h"
#include "act/services.h"
#include "base/rng.h"
#include "control/batch_window.h"
#include "control/options.h"
#include "control/pool_doubts.h"
#include "control/purchases.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "observe/decision_log.h"
#include "observe/metrics.h"
#include "plan/plan.h"

namespace joiner::control {

class Provisioner {
  public:
    // `facts_are_fresh()`: no watch that planning reads is broken. `has_begun_to_open(claim)`: its node may
    // be the scheduler's already. `take_place(pod)`: the claim whose closed node has room kept for the pod.
    Provisioner(act::Services& services, const Options& options, observe::Metrics& metrics,
                observe::DecisionLog& decisions, Rng rng, std::function<bool()> facts_are_fresh,
                std::function<bool(const std::string& claim)> has_begun_to_open,
                std::function<std::string(const model::PodState&)> take_place)
        : services_(services),
          options_(options),
          metrics_(metrics),
          decisions_(decisions),
          rng_(rng),
          facts_are_fresh_(std::move(facts_are_fresh)),
          has_begun_to_open_(std::move(has_begun_to_open)),
          take_place_(std::move(take_place)),
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
    void given_up(const api::NodeClaim& claim, std::string_view reason, const std::string& why);
    // Why nothing is bought from the pool now; nullptr: it may be.
    const PoolDoubts::Doubt* doubt(const std::string& pool) const;
    // A CapacityBuffer, or what one refers to, changed.
    void headroom_changed();

    // A batch is planned soon: there are pods without a plan.
    void trigger();
    act::PlannedBook& planned() { return planned_; }

    // Room that pods of nodes about to leave will take; no pod that waits is planned onto it.
    void reserve(model::ReservedRoom reserved) { reserved_ = std::move(reserved); }
    // The planning question as it is now, or with the nodes of some claims gone.
    model::Snapshot make_snapshot(const model::ClaimNames* leaving = nullptr,
                                  const model::ClaimNames* gives_back = nullptr) const;
    // What it is made from; refers to this object.
    model::SnapshotInputs snapshot_inputs() const;
    plan::ProvisionOptions plan_options(std::size_t pods) const;
    // Has a claim created, under the name it returns. `reason` is for the metrics; `done` hears whether the
    // API server has it.
    std::string create(const model::PoolView& pool, const plan::MachineSpec& spec, std::string_view reason,
                       std::function<void(Status)> done);
    // It was asked for, and the watch has not shown it yet.
    bool is_creating(const std::string& claim) const { return creating_.contains(claim); }
    // No batch is open, and every claim that was planned is seen in the watch.
    bool is_idle() const { return creating_.empty() && batch_timer_ == 0; }

    // What the last plan made of the CapacityBuffers that it held pods of, by "ns/name".
    enum class HeadroomPlace { kIsThere, kIsBoughtOrMissing };
    const std::map<std::string, HeadroomPlace, std::less<>>& headroom_places() const {
        return headroom_places_;
    }
    // Claims whose nodes it keeps room on: not empty, whatever stands there.
    const model::ClaimNames& headroom_claims() const { return headroom_claims_; }
    // And how much, by name of the node, or of the claim where there is none yet.
    const model::ReservedRoom& headroom_room() const { return headroom_room_; }

  private:
    void close_batch();
    void plan();
    bool may_plan() const;
    bool goes_to_its_place(const model::PodState& pod);
    void carry_out(const model::Snapshot& snapshot, const plan::Plan& plan);
    void launch(const model::Snapshot& snapshot, const plan::Launch& launch, const plan::Reason& whole);
    void plan_pod(const model::PodView& pod, const std::string& claim);
    void release(const std::string& claim);
    bool keeps_headroom() const { return !services_.cluster.buffers().empty(); }
    bool wants_room(const model::PodState& pod) const;
    // The claim behind a room of the snapshot; empty where there is none.
    std::string claim_of(const model::RoomView& room) const;
    void note_headroom(const model::Snapshot& snapshot, const plan::Plan& plan);
    void say_waiting(const model::PodId& pod, const plan::SharedReasons& reasons, const std::string& text);
    void say_waiting(const model::PodId& pod, plan::Reason reason);
    void say_waits(const model::Snapshot& snapshot, const std::vector<plan::Wait>& waits);
    // The pod may take room on a node, once the node is as it was promised; false: it is, as far as is known.
    bool say_awaiting(const model::PodView& pod, const model::RoomView& room);
    void decide(const model::PodId& pod, observe::Verdict verdict, plan::SharedReasons reasons);
    // Which pools nothing may be bought from now, or no more.
    void decide_on_pools(const model::Snapshot& snapshot);
    // Takes pods out of the question for which nothing is bought yet, and says why.
    void hold_back(model::Snapshot& snapshot);
    // How the node that was bought last for the pod is not what was promised; empty where it is. nullopt:
    // there is no such node any more.
    std::optional<std::string> broken_promise(const model::PodState& pod, const std::string& claim) const;
    void say_held(const model::PodState& pod, const Purchases::Hold& hold);
    void say_broken(const std::string& claim, const std::string& reason);
    void warn(const api::NodeClaim& claim, const std::string& reason, const std::string& message);
    void warn_pool_of(const api::NodeClaim& claim, const std::string& reason, const std::string& message);
    void say_late(const std::string& claim);
    // Whether nodes come up in time: who does not is given up, and counts against its pool.
    void look_after_newcomers();
    // What is bought by other terms now is tried again.
    void note_new_terms();
    // Of the pools that the pod might go to and that are in doubt, one each.
    plan::Reasons doubts_about(const model::PodView& pod) const;
    void plan_when_holds_end();
    void sweep();
    bool is_usable(const api::NodePool& pool) const;

    act::Services& services_;
    const Options& options_;
    observe::Metrics& metrics_;
    observe::DecisionLog& decisions_;
    Rng rng_;
    std::function<bool()> facts_are_fresh_;
    std::function<bool(const std::string&)> has_begun_to_open_;
    std::function<std::string(const model::PodState&)> take_place_;
    bool started_ = false;
    act::PlannedBook planned_;
    Purchases purchases_;
    PoolDoubts doubts_;
    // By pool: all that says what may be bought from it.
    std::map<std::string, std::string> terms_;
    io::TimerId hold_timer_ = 0;
    std::set<std::string, std::less<>> creating_;
    model::ReservedRoom reserved_;
    // Upstream has no limit for this, and pods wait for such nodes for ever.
    model::ClaimNames given_up_;
    io::TimerId batch_timer_ = 0;
    BatchWindow batch_window_;
    bool some_wait_ = false;
    bool some_are_held_ = false;
    std::uint64_t planned_version_ = 0;  // Of the cluster, when it was last planned for.
    // Pods each buffer stood for and what they are like, when it was last looked at.
    using Asked = std::pair<std::int32_t, const rules::PodShape*>;
    std::map<std::string, Asked, std::less<>> asked_;
    std::map<std::string, HeadroomPlace, std::less<>> headroom_places_;
    model::ClaimNames headroom_claims_;
    model::ReservedRoom headroom_room_;
};

}  // namespace joiner::control
