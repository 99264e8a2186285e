// One planning question, cut loose from the cluster: the pods to place, the room there is, the pools one may
// buy from. Immutable once made; any thread may read it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"
#include "model/pod_id.h"
#include "rules/capacity_ratio.h"
#include "rules/instance_type.h"
#include "rules/money.h"
#include "rules/pod_shape.h"

namespace joiner::model {

using PodIndex = std::uint32_t;
using PoolIndex = std::uint32_t;
using RoomIndex = std::uint32_t;

struct PodView {
    PodId id;
    std::shared_ptr<const rules::PodShape> shape;
    WallTime created = kNoTime;
    std::shared_ptr<const rules::PodLabels> labels = nullptr;  // nullptr: none.
    // The CapacityBuffer, "ns/name", that it keeps room for; empty for a pod that exists. Such a pod gives
    // way to all others and is never bound.
    std::string buffer = {};
    // The ReplicaSet, "ns/name", that is still to make it; empty for a pod that exists. It is planned as any
    // other, and bound when it is there.
    std::string coming_of = {};

    bool is_headroom() const { return !buffer.empty(); }
    bool exists() const { return buffer.empty() && coming_of.empty(); }
};

// A place that exists or is on its way: an open node, a node whose binding window is still closed, or a claim
// that has no node yet.
struct RoomView {
    std::string name;  // Of the node, or of the claim while there is no node.
    bool is_claim = false;
    // The scheduler may place pods here by itself; where it may not, only a plan's binding does.
    bool is_open = true;
    bool is_initialized = true;
    rules::Requirements labels;      // What the node's labels are, or will be.
    std::vector<api::Taint> taints;  // Without those that go away by themselves.
    rules::Resources free;           // After bound and planned pods and the room kept for daemons.
    // How many more volumes it takes, by CSI driver; a driver without a limit is not named.
    std::vector<std::pair<std::string, int>> volumes_left = {};
    // Of the volumes that several pods use, those that are there; sorted ids.
    std::vector<std::string> shared_volumes = {};

    // Empty while there is no node.
    std::string_view node_name() const { return is_claim ? std::string_view{} : std::string_view(name); }
};

// How many volumes a node takes, by CSI driver; a driver without a limit is not named.
using VolumeLimits = std::vector<std::pair<std::string, int>>;

// A node that takes no more pods; those that stand there still matter to others.
struct ClosedNode {
    std::string name;
    rules::Requirements labels;
    std::vector<api::Taint> taints;
};

// Where pods stand that others ask about, or that ask something of others. Place i is rooms[i], or
// closed_nodes[i - rooms.size()].
using PlaceIndex = std::uint32_t;
struct StandingPods {
    std::shared_ptr<const rules::PodLabels> labels;
    std::shared_ptr<const rules::PodShape> shape;  // nullptr where its constraints bind nobody else.
    bool is_going = false;                         // Being deleted: spread does not count it.
    std::vector<std::pair<PlaceIndex, std::uint32_t>> places;  // With counts, by place.
};

struct PoolView {
    std::string name;
    api::NodePool pool;
    int weight = 0;
    rules::Requirements requirements;  // Template requirements and labels, and the pool's own name.
    std::vector<api::Taint> taints;    // Startup taints are left out: they go.
    // What may still be bought, by resource name; "nodes" is one of them. Absent: no limit.
    std::vector<std::pair<std::string, std::int64_t>> remaining;
    std::shared_ptr<const std::vector<rules::InstanceType>> types;
    std::string why_no_types = {};           // In one sentence, where `types` is nullptr and that is known.
    rules::WellKnownLabels well_known = {};  // To the pool's cloud.
    // The part of a pool that one reservation is, that one commitment pays for, or that is its spot capacity
    // under a ratio. The rest of the pool knows what its limits leave without.
    bool is_reservation = false;
    std::string commitment = {};  // Of a part that is paid for already: the commitment's name.
    // Of such a part: what its machines cost where nothing pays for them.
    std::shared_ptr<const std::vector<rules::InstanceType>> types_at_list_price = nullptr;
    std::vector<std::pair<std::string, std::int64_t>> remaining_without_reservations = {};
    // Of all parts of a pool that keeps a ratio of on-demand to spot: what there is of each, and the ratio.
    std::optional<rules::CapacityMix> mix = {};
    // The part of those that is spot. How much of it the ratio allows, the planner finds.
    bool is_spot_part = false;
    rules::Money node_cost;  // An hour of any node of the pool costs so much besides its price.
};

// Where instance types come from, in words for reasons.
struct TypesSource {
    std::string name = "the provider";
    std::string how_to_have_others;  // "--instance-types reads others"; empty: nothing to say.
};

struct DaemonView {
    std::string name;  // "ns/name"
    std::shared_ptr<const rules::PodShape> shape;
    std::shared_ptr<const rules::PodLabels> labels = nullptr;  // Of its pods; nullptr: none.
};

struct Snapshot {
    std::vector<PodView> pods;    // To be placed; by age, then name, those to come and those of leaving nodes
                                  // next, headroom last.
    std::vector<RoomView> rooms;  // Initialised first, then by name.
    // By weight, highest first, then name; a pool that may use reservations stands there in parts.
    std::vector<PoolView> pools;
    std::vector<DaemonView> daemons;
    std::vector<ClosedNode> closed_nodes;
    std::vector<StandingPods> standing;
    rules::NamespaceLabels namespaces;
    // By instance type, as its nodes say; what they say stands before what the type itself says.
    std::map<std::string, VolumeLimits, std::less<>> volume_limits;
    TypesSource types_source;
};

// Of a node of the type still to be bought.
VolumeLimits volume_limits_of_type(const Snapshot& snapshot, const rules::InstanceType& type);

}  // namespace joiner::model
