// What a plan for a cluster of manifests stands on: the types that each pool may buy, with NodeOverlays on
// them, the scheduler's defaults and what is paid for already; and what is to be said of objects that are not
// used as they are written. For the commands that plan without an API server. One owner, one thread; borrows
// the cluster.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/make_snapshot.h"
#include "model/overlaid_types.h"
#include "rules/commitment.h"
#include "rules/node_pool_rules.h"

namespace joiner::cli {

struct GroundSources {
    std::function<rules::InstanceTypes(const api::NodePool&)> types;
    // What labels those types define; asked once all pools have theirs.
    std::function<rules::RestrictedLabels()> labels;
    model::TypesSource types_source;
    // Why the pool has nothing to sell; empty where it has.
    std::function<std::string(const model::PoolView&)> nothing_sold;
    std::vector<api::TopologySpreadConstraint> default_spread = {};
    rules::Commitments commitments = {};
    // Pools that nobody has written, and that may be bought from or not as this says; nullopt: it is
    // somebody's. Not given: all are.
    std::function<std::optional<bool>(const api::NodePool&)> stand_in = {};
};

class PlanningGround {
  public:
    PlanningGround(const model::Cluster& cluster, GroundSources sources);
    PlanningGround(const PlanningGround&) = delete;
    PlanningGround& operator=(const PlanningGround&) = delete;

    // Borrowed from this.
    const model::SnapshotInputs& inputs() const { return inputs_; }

    // One sentence each. `snapshot` is of these inputs.
    void warn_of_pools(const model::Snapshot& snapshot, std::vector<std::string>& out) const;
    // Of nodes that stay because their pool's budgets cannot be read.
    void warn_of_budgets(std::vector<std::string>& out) const;
    void warn_of_overlays_and_buffers(std::vector<std::string>& out) const;

  private:
    const model::Cluster& cluster_;
    const GroundSources sources_;
    const model::OverlaidTypes overlaid_;
    const rules::RestrictedLabels labels_;
    model::SnapshotInputs inputs_;
};

}  // namespace joiner::cli
