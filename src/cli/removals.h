// What could be removed of a cluster that is read from manifests, and what its nodes cost: the controller's
// own question, asked of nodes at rest, where no command is under way and nothing was moved lately. Shared by
// `simulate --disruption` and `plan`. Borrows all it is given; one owner, one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/make_snapshot.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/gate.h"
#include "plan/disrupt/repack.h"
#include "plan/plan.h"

namespace joiner::cli {

struct RepackAnswer {
    plan::RepackQuestion question;
    std::vector<plan::RepackStep> steps;
    double seconds = 0;
    double question_seconds = 0;
    double longest_slice_seconds = 0;
};

class Removals {
  public:
    struct Facts {
        const model::Cluster& cluster;
        const model::SnapshotInputs& inputs;
        WallTime now;
        // What is planned for pods that wait. They come first, and what they take is taken.
        const model::Snapshot& snapshot;
        const plan::Plan& plan;
        // Puts right what a snapshot of this cluster says and is not so.
        std::function<void(model::Snapshot&)> correct = {};
    };
    explicit Removals(const Facts& facts);

    // Budgets, and the time that a node must be idle, set the pace of removals and not where they end; so of
    // budgets only one of none matters.
    plan::Consolidatable find_removable();
    RepackAnswer repack(plan::Consolidatable found, const plan::RepackOptions& options) const;

    // Of a node, an hour, with what its pool adds; nought where it is of no pool or type that is known.
    rules::Money price_of(const model::NodeState& node) const;
    // No machines for all pods of these claims' nodes and those that wait cost less, all bought anew. All
    // other nodes count as they are, at no price.
    // `effort` as in plan::ProvisionOptions: more makes the bound of few pods tighter.
    rules::Money bound_of(const model::ClaimNames& leaving, std::uint64_t effort) const;
    // The same for the pods of these nodes alone: no other node has room, and nothing waits.
    rules::Money bound_alone(const model::ClaimNames& leaving, std::uint64_t effort) const;

    const plan::CandidateFinder& finder() const { return finder_; }
    const plan::DisruptionGate& gate() const { return gate_; }

  private:
    model::PlannedPods placed_pods() const;
    model::Snapshot without(const model::ClaimNames& leaving) const;

    const Facts facts_;
    const model::ClaimNames no_claims_;
    const std::map<std::string, WallTime, std::less<>> no_events_;
    const std::map<std::string, std::string, std::less<>> nothing_held_;
    const std::map<std::string, std::int64_t, std::less<>> nothing_moved_;
    const model::PlannedPods planned_;
    const plan::DisruptionFacts disruption_;
    plan::DisruptionGate gate_;
    const plan::CandidateFinder finder_;
};

}  // namespace joiner::cli
