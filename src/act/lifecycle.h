// Carries out the lifecycle steps of claims and nodes: one request at a time an object, reconciled again when
// the watch shows what it did. What the next step is, plan/lifecycle says. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "act/instance_launch.h"
#include "act/node_end.h"
#include "act/object_writer.h"
#include "act/reboot.h"
#include "act/registration_hooks.h"
#include "act/services.h"
#include "plan/lifecycle/claim_step.h"

namespace joiner::act {

class Lifecycle {
  public:
    // `binding_window_may_open(claim)`: no pod waits to be bound on the claim's node.
    // `last_pod_event(claim)`: when a pod was last seen to come to the claim's node or to leave it, or
    // kNoTime.
    Lifecycle(Services& services, PodBinding binding,
              std::function<bool(const std::string&)> binding_window_may_open,
              std::function<WallTime(const std::string&)> last_pod_event)
        : services_(services),
          binding_(binding),
          binding_window_may_open_(std::move(binding_window_may_open)),
          last_pod_event_(std::move(last_pod_event)),
          writer_(services),
          launch_(services, writer_),
          node_end_(services, writer_),
          reboot_(services, writer_, node_end_,
                  [this](const std::string& claim, std::optional<WallTime> deadline) {
                      if (deadline) return end_by(claim, *deadline, "unhealthy");
                      delete_claim(claim, "unhealthy");
                      return true;
                  }),
          hooks_(services) {}

    void step_claim(const std::string& name);
    void step_node(const std::string& name);
    // Its deletion has been asked for, and our facts may not show it yet.
    bool is_deleting(const std::string& claim) const { return writer_.is_deleting(claim); }
    // Deletes the claim, once; `reason` is for the metrics ("empty", "expired", …).
    void delete_claim(const std::string& name, const std::string& reason) {
        writer_.delete_claim(name, reason);
    }
    // Deletes the claim with its termination deadline no later than `deadline`, after which no pod holds its
    // node up; nullopt: with the one that it has, if any. One step a call, to be repeated until the deletion
    // is asked for: true.
    bool end_by(const std::string& name, std::optional<WallTime> deadline, const std::string& reason);
    // Has the claim's machine started anew in its place, once its pods have gone or `grace` is over; nullopt:
    // however long they take. One step a call, to be repeated until the watch shows that it is asked for:
    // true.
    bool request_reboot(const std::string& claim, std::optional<Duration> grace, const std::string& why);
    // Puts the disrupted taint on the claim's node and the DisruptionReason condition on the claim; an empty
    // reason takes both off. One step a call, to be repeated until the watch shows it all: true.
    bool mark_disrupted(const std::string& name, std::string_view reason);
    // Closes the binding window of a node that was open: the scheduler keeps off it until
    // binding_window_may_open() lets it open again. One step a call, to be repeated until the watch shows it:
    // true. REQUIRES: binds_pods().
    bool close_binding_window(const std::string& claim);
    bool binds_pods() const { return binding_ == PodBinding::kAuto; }
    // The claim's node has been opened to the scheduler, or may be at any moment: no pod is to be planned for
    // it any more, even while the watch still shows the taint.
    bool has_begun_to_open(const std::string& claim) const { return opening_.contains(claim); }
    // Each second: pods that were replaced before eviction and are still there.
    void reconcile_surges() { node_end_.reconcile_surges(); }
    // Now and then: forgets what is no more.
    void sweep() { node_end_.sweep(); }
    // Of a claim or node that is no more.
    void forget_claim(const std::string& name);
    void forget_node(const std::string& name);

  private:
    using Claim = api::NodeClaim;

    void perform(const plan::ClaimStep& step, const Claim& claim, const model::NodeState* node);
    std::optional<std::string> drift_of(const Claim& claim, const api::NodePool& pool) const;
    void register_node(const Claim& claim, const api::Node& node);
    void open_binding_window(const Claim& claim, const api::Node& node);
    void note_waiting(const Claim& claim, const model::NodeState* node, const std::string& waiting);
    void label(const Claim& claim, const model::NodeState* node);
    void keep_marks(const Claim& claim);
    // Has the scheduler prefer other nodes while the claim's own is about to go, and no longer.
    void keep_outgoing_taint(const Claim& claim, const api::NodePool& pool, const api::Node& node);
    std::vector<plan::ConditionNote> check_consistency(const Claim& claim);

    Services& services_;
    PodBinding binding_;
    std::function<bool(const std::string&)> binding_window_may_open_;
    std::function<WallTime(const std::string&)> last_pod_event_;
    ObjectWriter writer_;
    InstanceLaunch launch_;
    NodeEnd node_end_;
    Reboot reboot_;
    RegistrationHooks hooks_;
    std::map<std::string, WallTime> checked_;  // Claims, when they were last held against their nodes.
    std::set<std::string> opening_;            // Claims whose binding window was asked to open.
};

}  // namespace joiner::act
