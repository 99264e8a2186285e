// Consolidation over the whole cluster: which nodes leave, where their pods go, what is bought in their
// place. Any number of nodes may become any number of others. Pure: the same question and options give the
// same steps, however the work is sliced. One owner, one thread.
//
//     question --- search (small integers, undo) --- steps (exact: checker, policies, spot)
//
// Sources: Karpenter's documented consolidation policies, spot-to-spot rule and balanced score.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/make_snapshot.h"
#include "plan/disrupt/candidate.h"
#include "plan/plan.h"

namespace joiner::plan {

// What the policy Balanced measures a step against.
struct PoolTotals {
    rules::Money price;
    double disruption = 0;
};

// REQUIRES: pods that wait have been planned for; what they take of the rooms is no longer free there.
struct RepackQuestion {
    // Rooms are all nodes, as full as they are; pods are those of the candidates, and are not standing.
    model::Snapshot snapshot;
    std::vector<Candidate> candidates;    // By node; prices include what nodes cost besides.
    std::vector<model::RoomIndex> rooms;  // Of each candidate.
    std::vector<std::vector<model::PodIndex>> pods;
    std::map<std::string, std::int64_t> may_leave;  // Nodes, by pool; a pool that is not named has no bound.
    std::map<std::string, PoolTotals> balanced;     // By pool, those whose policy it is.
};

// Leaves out candidates that their pool's policy keeps, whose node takes no pods, or some pod of which cannot
// be planned. `inputs.moving` is set here.
RepackQuestion make_repack_question(const model::Cluster& cluster, model::SnapshotInputs inputs,
                                    std::vector<Candidate> candidates);

// A step pays when, over the horizon, what it saves is more than what it takes. The same sum decides in the
// search, so what a step leaves behind is at rest: only another saving of that size moves a pod again.
struct RepackOptions {
    double payback_hours = 24;
    double eviction_dollars = 0.02;  // For one unit of disruption cost: about one pod.
    // Nobody knows how long a workload stays as it is; about as long as it has been so. A step whose payback
    // is longer than this waits until no pod has come to its nodes, or gone, for as long as its payback.
    Duration pays_soon = std::chrono::hours{1};
    double overlap_hours = 1.0 / 6;  // So long are a node and its replacement both paid for.
    // Of a replacement's price; the hysteresis. What is bought must be cheaper by so much, what merely closes
    // need not.
    double least_gain = 0.02;
    std::size_t most_together = 10;  // Nodes that leave in one step because their pods share a new one.
    bool spot_to_spot = false;
    // Of the random search, between the sweeps: so many, or more where there are many nodes. What it leaves,
    // a later look finds, and that is another disturbance.
    std::uint64_t tries = 40'000;
    std::uint64_t tries_per_candidate = 40;
    std::uint64_t seed = 1;
    std::size_t max_types = 100;  // Alternatives a launch lists at most.
    // All nodes whose pods ask something of others leave in one last step, planned as a whole: it says where
    // the walk ends, and not how to get there by steps that are each safe alone.
    bool joint = false;
};

// Indexes are those of the question's snapshot.
struct RepackStep {
    std::vector<std::string> nodes;   // That leave.
    std::vector<std::string> claims;  // Theirs.
    std::vector<Placement> placements;
    std::vector<Launch> launches;
    rules::Money saving;        // Per hour, node costs included.
    std::size_t evictions = 0;  // Pods that move.
    double disruption = 0;      // Of the nodes that leave.
    // Until it has saved what its evictions and the overlap of old and new nodes cost; 0 without evictions.
    Duration payback{0};
    std::string reason;  // "Empty" or "Underutilized".
    std::string why;     // One sentence.
    // No pod of it asks anything of others: it stays good whichever other steps are carried out before. Any
    // other is to be looked at again once something has changed.
    bool is_independent = true;
};

// Work in slices, so that the loop that owns it stays responsive.
class Repack {
  public:
    // The question is borrowed.
    Repack(const RepackQuestion& question, const RepackOptions& options);
    ~Repack();
    Repack(const Repack&) = delete;
    Repack& operator=(const Repack&) = delete;

    // About `looks` looks at a place for a pod; true when there is nothing left to do. A million take a few
    // milliseconds.
    bool run_slice(std::uint64_t looks);
    // Best first: saving for disruption, then by node. Complete when run_slice() has returned true.
    const std::vector<RepackStep>& steps() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

std::vector<RepackStep> plan_repack(const RepackQuestion& question, const RepackOptions& options);

}  // namespace joiner::plan
