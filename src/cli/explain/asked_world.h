// What `joiner explain` looks at: the cluster as it was read, what each NodePool may buy, and how the
// controller would ask its planner. One owner; stays where it is made, because its parts refer to each other.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/pool_types.h"
#include "cli/read_cluster.h"
#include "cli/world.h"
#include "model/make_snapshot.h"
#include "model/overlaid_types.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"
#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::cli {

class AskedWorld {
  public:
    // `instance_types`: a file; empty: the built-in catalogue. `asked_pod`: kept whole; empty: none. Errors:
    // as PoolTypes::load() and fill_world() have them.
    static Result<std::unique_ptr<AskedWorld>> make(ClusterRead read, const std::string& instance_types,
                                                    std::string asked_pod, WallTime now);
    AskedWorld(const AskedWorld&) = delete;
    AskedWorld& operator=(const AskedWorld&) = delete;

    // Nodes of NodePools that were read without their claims get one.
    void add_claims();

    model::Cluster& cluster() { return world_.cluster; }
    const model::Cluster& cluster() const { return world_.cluster; }
    const std::optional<api::Pod>& pod() const { return world_.pod; }
    const Manifests& manifests() const { return manifests_; }
    const std::vector<std::string>& warnings() const { return warnings_; }
    const std::vector<std::string>& not_read() const { return not_read_; }
    WallTime now() const { return now_; }

    const model::SnapshotInputs& inputs() const { return inputs_; }
    // Why nothing is bought from the pool, in one sentence; empty when something may be.
    std::string why_unused(const api::NodePool& pool) const;
    // With overlays; nullptr: not known.
    rules::InstanceTypes types_of(const api::NodePool& pool) const;
    rules::InstanceTypes types_without_overlays(const api::NodePool& pool) { return types_.of(pool); }
    const std::vector<rules::OverlayProblem>& overlay_problems() const { return overlaid_.problems; }
    // Of the node's labels, an hour; nullopt: no type, zone and capacity type that is known.
    std::optional<rules::Money> price_of(const api::Node& node);
    // All pods that wait, as the controller would plan them.
    plan::Plan plan(const model::Snapshot& snapshot) const;
    // For one pod, many times.
    plan::ProvisionOptions options_for_one() const;

    // Nothing under way, nothing moved lately: a command line knows of neither.
    plan::DisruptionFacts disruption_facts() const;
    plan::DisruptionGate gate() const;

  private:
    AskedWorld(PoolTypes types, WallTime now)
        : types_(std::move(types)), now_(now), world_(rules::PreferencePolicy::kRespect) {}

    PoolTypes types_;
    WallTime now_;
    Manifests manifests_;
    World world_;
    model::OverlaidTypes overlaid_;
    rules::RestrictedLabels labels_;
    model::SnapshotInputs inputs_;
    std::vector<std::string> warnings_;
    std::vector<std::string> not_read_;
    const model::PlannedPods no_pods_;
    const model::ClaimNames no_claims_;
    const std::map<std::string, WallTime, std::less<>> no_events_;
    const std::map<std::string, std::string, std::less<>> nothing_held_;
    const std::map<std::string, std::int64_t, std::less<>> nothing_moved_;
};

// "m7g.large in us-east-1a, on-demand, 0.0960 $ an hour"
std::string words_of(const plan::MachineSpec& spec);
// "m7g.large in us-east-1a, on-demand", as its labels say.
std::string machine_of(const api::Node& node);

}  // namespace joiner::cli
