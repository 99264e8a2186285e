// Which nodes may be disrupted by choice, what each costs, and what speaks against the others. Emptiness,
// drift and consolidation all choose among these. Pure; loop thread, because it reads the Cluster. Source:
// Karpenter's documented disruption candidates and disruption cost.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/candidate.h"
#include "plan/reason.h"
#include "rules/commitment.h"
#include "rules/instance_type.h"

namespace joiner::plan {

// Graceful methods (emptiness, consolidation) wait for what pods and their budgets ask; eventual ones (drift)
// do not where the claim's terminationGracePeriod bounds the drain anyway. Repair takes nodes that have
// registered and no more, whatever their do-not-disrupt says, and weighs what pods ask by itself.
enum class DisruptionClass { kGraceful, kEventual, kRepair };

struct DisruptionFacts {
    const model::Cluster& cluster;
    // A claim that pods are planned for is in use.
    const model::PlannedPods& planned;
    // Claims that a command under way removes or brings.
    const model::ClaimNames& in_commands;
    // When a pod last came to or left the claim's node, by claim name, where that is known better than the
    // status says.
    const std::map<std::string, WallTime, std::less<>>& last_pod_event;
    // nullptr: not known, and none of the pool's nodes is a candidate.
    std::function<std::shared_ptr<const std::vector<rules::InstanceType>>(const api::NodePool&)> types;
    // Claims whose nodes CapacityBuffers keep room on: never empty. nullptr: none.
    const model::ClaimNames* headroom = nullptr;
    // What is paid for already; nullptr: nothing.
    const rules::Commitments* commitments = nullptr;
    // Claims whose nodes are needed for pods that are still to be made. nullptr: none.
    const model::ClaimNames* coming = nullptr;
};

// A node that may not, and why; at least one reason, and the first is the one to say where one is said.
struct Blocked {
    std::string claim;
    std::string node;
    Reasons reasons;
};
// What keeps a node is looked for no further than this.
inline constexpr std::size_t kMostObstacles = 10;

struct Candidates {
    std::vector<Candidate> candidates;  // By claim name.
    std::vector<Blocked> blocked;       // By claim name.
};

Candidates find_candidates(const DisruptionFacts& facts, DisruptionClass disruption, WallTime now);

// The first API's annotation on the node: it bars consolidation, and neither drift nor an empty node's end
// under WhenEmpty.
std::optional<Reason> consolidation_barred(const api::Node& node);

// The same rules for one claim at a time.
class CandidateFinder {
  public:
    CandidateFinder(const DisruptionFacts& facts, DisruptionClass disruption, WallTime now);

    // Nothing can be said of the node yet, or no more: there is none, it is young, or it is going. Such a
    // node is neither a candidate nor blocked.
    bool is_out_of_play(const model::ClaimState& claim) const;
    // What speaks against disrupting it, as far as the first `most`; empty when nothing does. REQUIRES:
    // !is_out_of_play(claim).
    Reasons obstacles(const model::ClaimState& claim, std::size_t most = kMostObstacles) const;
    bool has_obstacle(const model::ClaimState& claim) const { return !obstacles(claim, 1).empty(); }
    // What people or pods say against it, whatever is under way: the node's annotation, its pods', and their
    // PodDisruptionBudgets where `heeds_budgets`. nullopt where there is no node.
    std::optional<Reason> objection(const model::ClaimState& claim, bool heeds_budgets) const;
    // Pods are about to be bound to its node, which has come up. REQUIRES: !is_out_of_play(claim).
    bool is_about_to_be_used(const model::ClaimState& claim) const;
    // The first pod that must not be disrupted now or whose budget allows no eviction; nullopt: there is
    // none.
    std::optional<Reason> blocking_pod(const model::NodeState& node) const;
    // REQUIRES: !is_out_of_play(claim).
    Candidate make(const model::ClaimState& claim) const;
    // When a pod last came to or left the node, as far as is known; kNoTime for never.
    WallTime last_pod_event(const std::string& claim) const;
    // Of its offering, an hour; 0 where the catalogue has it no more.
    rules::Money price_of(const api::NodePool& pool, const api::Node& node) const;
    // The same without what commitments pay of it. They pay for the nodes that are the most trouble to empty
    // first, so that no set of nodes saves less than the sum of these. REQUIRES: the node is the claim's.
    rules::Money price_on_top(const api::NodePool& pool, const api::NodeClaim& claim,
                              const api::Node& node) const;
    // nullptr where the catalogue has it no more.
    const rules::Offering* offering_of(const api::NodePool& pool, const api::Node& node) const;
    // The type of the node's label among the pool's; nullptr where they are not known or have none such.
    const rules::InstanceType* type_of(const api::NodePool& pool, const api::Node& node) const;

  private:
    using Budgets = std::vector<const api::PodDisruptionBudget*>;
    struct Types {
        std::shared_ptr<const std::vector<rules::InstanceType>> all;
        std::unordered_map<std::string_view, const rules::InstanceType*> by_name;
    };

    const Types& types_of(const api::NodePool& pool) const;
    // The part of its price that is paid on top, by claim; 1 for those that are not named.
    const std::map<std::string, double, std::less<>>& uncovered() const;

    void add_pod_obstacles(const model::NodeState& node, bool heeds_budgets, std::size_t most,
                           Reasons& out) const;
    std::optional<Reason> taint_obstacle(const api::NodeClaim& claim, const api::Node& node) const;
    std::optional<Reason> budget_obstacle(const model::PodState& pod) const;

    const DisruptionFacts& facts_;
    DisruptionClass disruption_;
    WallTime now_;
    std::set<std::string_view> planned_claims_;
    std::set<std::string_view> nominated_nodes_;
    std::vector<const model::PodState*> waiting_;
    std::map<std::string_view, Budgets, std::less<>> budgets_;  // By namespace.
    // By pool; asked for once.
    mutable std::map<std::string, Types, std::less<>> types_;
    // Found when it is first asked for.
    mutable std::optional<std::map<std::string, double, std::less<>>> uncovered_;
};

// Holds nothing that would be made again elsewhere.
bool is_empty(const model::NodeState& node);
// 1, moved by what the pod says its eviction weighs and by its priority; between -10 and 10.
double eviction_cost(const model::PodState& pod);
// When a pod last came to or left the claim's node, or when it was initialised if none ever has.
WallTime steady_since(const api::NodeClaim& claim, WallTime last_pod_event);
// Since when the claim has been idle for consolidateAfter; nullopt when it never counts as idle.
std::optional<WallTime> consolidatable_at(const api::NodeClaim& claim, const api::NodePool& pool,
                                          WallTime last_pod_event);

}  // namespace joiner::plan
