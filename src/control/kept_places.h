// Free capacity that is kept on nodes for pods on the move, until the pod that is made in a moved pod's stead
// comes for it. It is owned here and nowhere else: the Disruptor keeps places and gives them up, the
// Provisioner has pods take them and plans nothing else onto them, and binding windows stay closed over them.
// Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "rules/pod_shape.h"

namespace joiner::control {

class KeptPlaces {
  public:
    // A pod that moves, as the one that is made in its stead will look.
    struct Mover {
        std::string kin;
        std::shared_ptr<const rules::PodShape> shape;
        std::shared_ptr<const rules::PodLabels> labels;
        model::PodId moved;
    };
    struct Place {
        Mover mover;
        std::string claim;
    };
    enum class Stage {
        kReserved,  // Nothing else is planned there.
        kClosing,   // The nodes are being closed to the scheduler.
        kOpen,      // The pods are being made again: each may take its place.
        kGivenUp,   // Whoever has not come will not.
    };
    // What one command keeps.
    struct Kept {
        Stage stage = Stage::kReserved;
        // Pods are bound where they were planned; otherwise the scheduler places them, wherever it likes.
        bool binds = true;
        std::vector<Place> places;    // Not taken yet.
        model::ReservedRoom whole;    // All that its pods will take, by name of the claim or node.
        WallTime taken_at = kNoTime;  // When a pod last came for its place.
    };
    using Number = std::uint64_t;  // Of a command; they grow in the order in which commands begin.

    void keep(Number command, Kept kept) { kept_[command] = std::move(kept); }
    // REQUIRES: the command keeps something.
    Kept& of(Number command) { return kept_.at(command); }
    const Kept& of(Number command) const { return kept_.at(command); }
    // The places that are not taken are given up.
    void give_up(Number command);
    void forget(Number command) { kept_.erase(command); }

    // The claim on whose node a place is kept for the pod; each is given once. Empty: there is none, or not
    // yet. `cluster`: whether the pod that moved is gone, so that the place of one that stays is not given.
    std::string take(const model::PodState& pod, const model::Cluster& cluster, WallTime now);
    // The pod has a node. Where the scheduler places a command's pods, that is one fewer to come.
    void note_bound(const model::PodState& pod, const std::string& kin, const model::Cluster& cluster);
    // The command keeps a place for such a pod.
    bool awaits(Number command, const model::PodState& pod) const;
    // Pods are still to be bound on the claim's node, so its binding window must not open.
    bool keeps_closed(const std::string& claim) const;
    // Who asks. Pods that the scheduler places ask for themselves once they are made anew, so provisioning
    // plans for them as for any other; no further pod is moved to where they may go.
    enum class For { kProvisioning, kMoves };
    // Of the pods that some place is kept for.
    std::set<std::string> kins() const;
    // What nothing else is planned onto; as it is until the next call.
    const model::ReservedRoom& reserved(For asker) const;
    // Those of it that are known one by one; as they are until the next call.
    const std::vector<model::ExpectedPod>& expected(For asker) const;
    // All that pods on the move will take, also where they have taken it by now.
    model::ReservedRoom claimed() const;

  private:
    static bool is_kept(const Kept& kept, For asker);
    // One for such a pod, if there is any: rather that of a pod that has gone.
    static std::vector<Place>::iterator find_place(Kept& kept, const model::PodState& pod,
                                                   const std::string& kin, const model::Cluster& cluster);
    static bool is_for(const Place& place, const model::PodState& pod, const std::string& kin) {
        return place.mover.shape == pod.shape && place.mover.kin == kin;
    }

    std::map<Number, Kept> kept_;
    mutable model::ReservedRoom reserved_;
    mutable std::vector<model::ExpectedPod> expected_;
};

}  // namespace joiner::control
