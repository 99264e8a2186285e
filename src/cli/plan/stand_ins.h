// Nodes that no NodePool made: managed groups, groups of Cluster Autoscaler, machines of nobody. Nodes alike
// become a NodePool that stands for them, each node gets a NodeClaim, and so the controller's own rules can
// be asked about them. Nothing that pods ask of nodes changes: what is put on nodes only so that prices are
// found is taken from snapshots again. One owner, one thread; borrows the cluster for as long as it lives.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/plan/machines.h"
#include "cli/world.h"
#include "model/cluster.h"
#include "model/snapshot.h"
#include "plan/reason.h"

namespace joiner::cli {

// The zone of nodes that do not say in which they are.
inline constexpr std::string_view kUnknownZone = "unknown";

// What a NodePool cannot say of its nodes.
struct StandIn {
    enum class Kind { kGroup, kControlPlane, kVirtual };
    Kind kind = Kind::kGroup;
    std::string cloud;
    rules::InstanceTypes types;  // To be bought, and those of its nodes that no catalogue sells.
    // The same, and those of its nodes are to be bought too: nothing that is there costs less than these.
    rules::InstanceTypes types_and_seen;
    std::vector<std::string> nodes;  // By name.
};

StandIn::Kind stand_in_kind(const api::Node& node);
// The name of the group that whoever made the node has put it into; empty: none, as far as its labels say.
std::string_view group_label(const api::Node& node);

class StandIns {
  public:
    // Adds the pools, the claims and the labels that they need to the cluster.
    StandIns(model::Cluster& cluster, Machines& machines);

    const std::map<std::string, StandIn, std::less<>>& pools() const { return pools_; }
    const StandIn* find(std::string_view pool) const;
    // May be bought from.
    bool sells(std::string_view pool) const;

    // A snapshot has the nodes' labels as they are.
    void correct(model::Snapshot& snapshot) const;
    // The nodes whose price is worked out of cores and memory, or is not known; by name.
    const std::set<std::string, std::less<>>& unpriced() const { return unpriced_; }
    const std::vector<std::string>& warnings() const { return warnings_; }

  private:
    struct Group;
    struct SeenType;
    using SeenTypes = std::map<std::string, SeenType, std::less<>>;

    bool is_foreign(const model::NodeState& state) const;
    std::string name_for(const Group& group) const;
    void add_pool(const Group& group, const SeenTypes& all_seen, Machines& machines);
    void add_claim(const api::Node& node, const api::NodePool& pool, bool is_up);
    void warn_of_unpriced();

    model::Cluster& cluster_;
    std::map<std::string, StandIn, std::less<>> pools_;
    std::map<std::string, std::vector<std::string>, std::less<>> added_labels_;  // By node.
    std::set<std::string, std::less<>> unpriced_;
    std::vector<std::string> warnings_;
};

// What keeps the node beside the rules of NodePools: what it is, what Cluster Autoscaler would heed.
plan::Reasons obstacles_without_pool(const StandIn& stand_in, const PodNotes& notes,
                                     const model::NodeState& node);
// Pods whose volumes are on the node and nowhere else, whoever made it.
plan::Reasons local_volumes(const model::Cluster& cluster, const model::NodeState& node);

}  // namespace joiner::cli
