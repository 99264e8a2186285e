// Makes the planning question from the cluster as it is now. Pure; loop thread, because it reads the Cluster.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "model/cluster.h"
#include "model/snapshot.h"
#include "rules/commitment.h"

namespace joiner::model {

// Which claim an unbound pod is to be bound on, by the pod's uid; kept by control until the pod is bound.
using PlannedPods = std::unordered_map<std::string, std::string>;

using ClaimNames = std::set<std::string, std::less<>>;
using ReservedRoom = std::map<std::string, rules::Resources, std::less<>>;

// A pod that will be made in the stead of a moved one, and the claim or node that it will come to. It stands
// there for those who ask. The moved one, where it is still there, needs no other place.
struct ExpectedPod {
    std::shared_ptr<const rules::PodLabels> labels;
    std::shared_ptr<const rules::PodShape> shape;
    std::string place;
    PodId moved;
};

// Pods that are still to be made: a ReplicaSet says how many it wants before its controller has made them.
struct ComingPods {
    PodKey set;
    const PodState* like = nullptr;  // The others will look like it; never nullptr.
    std::int64_t count = 0;
};

struct SnapshotInputs {
    std::function<std::shared_ptr<const std::vector<rules::InstanceType>>(const api::NodePool&)> types;
    // Where that is nullptr: why, in one sentence. Where it is not given, nobody says.
    std::function<std::string(const api::NodePool&)> why_no_types = {};
    // Whether the pool may be bought from (ready, not static, not deleting).
    std::function<bool(const api::NodePool&)> is_usable;
    // The labels that the cloud of a node class knows. Where it is not given: the core set.
    std::function<rules::WellKnownLabels(const api::NodeClassReference&)> well_known = {};
    TypesSource types_source = {};
    const PlannedPods* planned = nullptr;
    // What if the nodes of these claims went? They are no rooms, and their pods that would be missed are to
    // be placed too, after the pods that wait. Only rooms that are up count then: on others nobody may rely.
    const ClaimNames* leaving = nullptr;
    // Claims that have not come up in time: nobody relies on their nodes any more.
    const ClaimNames* given_up = nullptr;
    // What pods that are about to move will take, by name of the claim or node they move to.
    const ReservedRoom* reserved = nullptr;
    // Pods that are part of `reserved`, as far as they are known one by one.
    const std::vector<ExpectedPod>* expected = nullptr;
    // Pods that are planned beside those that wait; nullptr: none.
    const std::vector<ComingPods>* coming = nullptr;
    // Bound pods that may have to move. The pods are these then, in this order, and not those that wait; they
    // are not among those that stand, and their nodes stay as full as they are.
    const std::vector<const PodState*>* moving = nullptr;
    // The scheduler's default constraints, for pods without any of their own.
    const std::vector<api::TopologySpreadConstraint>* default_spread = nullptr;
    // What is paid for already; nullptr: nothing. What the nodes of `leaving` use of it counts as free.
    const rules::Commitments* commitments = nullptr;
    // Where it is told, pods that wait may count on young nodes whose taints nobody has declared: most such
    // taints go when the node's own agents are up.
    WallTime now = kNoTime;
};

// Of nodes: for so long after they registered.
inline constexpr Duration kYoung = std::chrono::minutes{15};
bool is_young(const api::NodeClaim& claim, WallTime now);

// A pod that has no node and may get one: unbound, not gated, not going, no daemon. A pod of another
// scheduler counts once that scheduler has called it unschedulable.
bool is_waiting(const PodState& pod);
// The scheduler keeps room for the pod on the node it has nominated: the node is there, and holds the pod
// once those that are on their way out are gone. A nomination that nothing came of is none.
bool is_nominated(const Cluster& cluster, const PodState& pod);
// A waiting pod that is ours to find room for.
bool wants_room(const Cluster& cluster, const PodState& pod);

Snapshot make_snapshot(const Cluster& cluster, const SnapshotInputs& inputs);

// Of one pool, ready for the planner. `used` is what the pool's nodes and claims count against its limits.
PoolView make_pool_view(const api::NodePool& pool, const rules::Resources& used_capacity,
                        std::int64_t used_nodes);

// What the claim counts against its pool's limits: its capacity, or the largest it may become while that is
// not known.
rules::Resources claimed_capacity(const api::NodeClaim& claim, const std::vector<rules::InstanceType>* types);

}  // namespace joiner::model
