#include "cli/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "api/names.h"
#include "cli/commitments_file.h"
#include "cli/missing_claims.h"
#include "cli/pool_types.h"
#include "cli/scheduler_config.h"
#include "cli/world.h"
#include "model/headroom.h"
#include "model/make_snapshot.h"
#include "model/overlaid_types.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/gate.h"
#include "plan/provision/provision.h"
#include "rules/budget.h"
#include "rules/node_cost.h"

namespace joiner::cli {
namespace {

constexpr std::uint64_t kSliceLooks = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What the controller would ask: of nodes at rest, where no command is under way and nothing was moved
// lately.
class Removals {
  public:
    Removals(const model::Cluster& cluster, const model::SnapshotInputs& inputs, WallTime now, Simulation& s)
        : cluster_(cluster),
          inputs_(inputs),
          now_(now),
          s_(s),
          planned_(placed_pods()),
          facts_{cluster, planned_, no_claims_, no_events_, inputs.types, nullptr, inputs.commitments},
          gate_({cluster, no_claims_, nothing_held_, nothing_moved_}, now) {}

    // After the plan: pods that wait come first, and what they take is taken.
    void plan() {
        const auto begin = std::chrono::steady_clock::now();
        s_.repack_question =
            plan::make_consolidation_question(cluster_, inputs_, find_removable(), gate_, now_);
        for (const plan::Placement& one : s_.plan.placements)
            s_.repack_question.snapshot.rooms[one.room].free -= s_.snapshot.pods[one.pod].shape->requests;
        const auto start = std::chrono::steady_clock::now();
        plan::Repack repack(s_.repack_question, {});
        s_.repack_question_seconds = seconds_since(begin);
        for (bool is_done = false; !is_done;) {
            const auto slice = std::chrono::steady_clock::now();
            is_done = repack.run_slice(kSliceLooks);
            s_.longest_slice_seconds = std::max(s_.longest_slice_seconds, seconds_since(slice));
        }
        s_.repack_seconds = seconds_since(start);
        s_.removals = repack.steps();
    }

    // What the nodes that are there cost, and what machines for the same pods would cost at least, were all
    // of them bought anew.
    void price_cluster() {
        const plan::CandidateFinder finder(facts_, plan::DisruptionClass::kGraceful, now_);
        model::ClaimNames leaving;
        for (const auto& [name, state] : cluster_.nodes()) {
            if (const model::ClaimState* claim = cluster_.claim_of(state.node))
                leaving.insert(claim->claim.meta.name);
            const model::PoolState* pool =
                cluster_.find_pool(api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel));
            const rules::Money price =
                pool == nullptr ? rules::Money{} : finder.price_of(pool->pool, state.node);
            if (price.nanos == 0) {
                ++s_.unpriced_nodes;
                continue;
            }
            const model::ClaimState* claim = cluster_.claim_of(state.node);
            s_.price_of_nodes +=
                claim == nullptr ? price : finder.price_on_top(pool->pool, claim->claim, state.node);
            s_.price_of_nodes += rules::node_cost(pool->pool).value_or(rules::Money{});
        }
        model::SnapshotInputs inputs = inputs_;
        inputs.leaving = &leaving;
        const model::Snapshot anew = model::make_snapshot(cluster_, inputs);
        plan::ProvisionOptions options;
        options.budget_seconds = 0;
        s_.bound_anew = plan::plan_provisioning(anew, options).lower_bound;
    }

  private:
    // Pods that the plan has placed on nodes that are there.
    model::PlannedPods placed_pods() const {
        model::PlannedPods out;
        for (const plan::Placement& one : s_.plan.placements) {
            const model::NodeState* node = cluster_.find_node(s_.snapshot.rooms[one.room].name);
            const model::ClaimState* claim = node == nullptr ? nullptr : cluster_.claim_of(node->node);
            if (claim != nullptr) out.emplace(s_.snapshot.pods[one.pod].id.uid(), claim->claim.meta.name);
        }
        return out;
    }

    // Budgets, and the time that a node must be idle, set the pace of removals and not where they end; so of
    // budgets only one of none matters.
    plan::Consolidatable find_removable() {
        plan::Consolidatable out = plan::find_consolidatable(facts_, gate_, now_);
        for (auto& [at, candidate] : out.later) out.candidates.push_back(std::move(candidate));
        std::erase_if(out.candidates, [&](const plan::Candidate& one) {
            return one.pods.empty() && gate_.refuses(one.pool, plan::kEmpty);
        });
        return out;
    }

    const model::Cluster& cluster_;
    const model::SnapshotInputs& inputs_;
    WallTime now_;
    Simulation& s_;
    const model::ClaimNames no_claims_;
    const std::map<std::string, WallTime, std::less<>> no_events_;
    const std::map<std::string, std::string, std::less<>> nothing_held_;
    const std::map<std::string, std::int64_t, std::less<>> nothing_moved_;
    const model::PlannedPods planned_;
    const plan::DisruptionFacts facts_;
    plan::DisruptionGate gate_;
};

}  // namespace

Result<Simulation> simulate(const SimulateOptions& options, std::vector<std::string>& warnings) {
    TRY(PoolTypes types, PoolTypes::load(options.instance_types));
    TRY(const auto manifests, read_whole_manifests({options.files, options.is_recursive}));
    const auto policy = options.preference_policy == "Ignore" ? rules::PreferencePolicy::kIgnore
                                                              : rules::PreferencePolicy::kRespect;
    World world(policy);
    const WallTime now = std::chrono::system_clock::now();
    TRY_STATUS(fill_world(manifests, now, world));

    const model::OverlaidTypes overlaid =
        model::overlaid_types(world.cluster, [&](const api::NodePool& pool) { return types.of(pool); });
    const rules::RestrictedLabels labels = types.labels();
    model::SnapshotInputs inputs;
    inputs.types = [&](const api::NodePool& pool) { return overlaid.by_pool.at(pool.meta.name); };
    inputs.well_known = [&](const auto&) { return labels.well_known; };
    inputs.types_source = types.source();
    TRY(const auto spread, default_spread(options.scheduler_config, options.preference_policy != "Ignore"));
    inputs.default_spread = &spread;
    TRY(const rules::Commitments commitments, load_commitments(options.commitments));
    inputs.commitments = &commitments;
    inputs.is_usable = [&](const api::NodePool& pool) {
        const std::string problems = rules::validate_node_pool(pool, labels);
        if (!problems.empty())
            warnings.push_back(fmt::format("NodePool {} is not used: {}", pool.meta.name, problems));
        if (problems.empty() && pool.replicas)
            warnings.push_back(
                fmt::format("NodePool {} is static: it has its spec.replicas nodes, and buys none for pods",
                            pool.meta.name));
        return problems.empty() && !pool.replicas && !pool.meta.deleted;
    };
    Simulation out;
    const auto start = std::chrono::steady_clock::now();
    const auto clock = [start] { return seconds_since(start); };
    out.snapshot = model::make_snapshot(world.cluster, inputs);
    for (const model::PoolView& pool : out.snapshot.pools) {
        if (!pool.commitment.empty() || pool.is_spot_part) continue;
        if (std::string text = types.warning(pool); !text.empty()) warnings.push_back(std::move(text));
    }
    for (const auto& [name, state] : world.cluster.pools()) {
        if (const rules::RatioWish wish = rules::ratio_wish(state.pool); !wish.problem.empty())
            warnings.push_back(
                fmt::format("NodePool {} keeps no ratio of on-demand to spot: {}", name, wish.problem));
    }
    plan::ProvisionOptions plan_options;
    if (options.min_values_policy == "BestEffort")
        plan_options.min_values_policy = plan::MinValuesPolicy::kBestEffort;
    if (options.preference_policy == "Priced")
        plan_options.preference_worth = rules::Money::from_dollars(options.preference_worth);
    plan_options.clock = clock;
    out.snapshot_seconds = clock();
    // What it took to read the question is part of the time that the answer may take.
    plan_options.budget_seconds = std::max(0.0, options.planning_budget_seconds - out.snapshot_seconds);
    out.plan = plan::plan_provisioning(out.snapshot, plan_options);
    out.seconds = seconds_since(start);
    out.first_plan_seconds = out.snapshot_seconds + out.plan.first_plan_seconds;
    out.has_removals = options.disruption;
    if (options.disruption) {
        const std::size_t told = warnings.size();
        add_missing_claims(world.cluster);
        Removals removals(world.cluster, inputs, now, out);
        removals.plan();
        removals.price_cluster();
        warnings.resize(told);  // The pools' problems once are enough.
        for (const auto& [name, state] : world.cluster.pools()) {
            if (const Status budgets = rules::check_budgets(state.pool); !budgets)
                warnings.push_back(
                    fmt::format("NodePool {}: none of its nodes is removed, for a budget cannot be read: {}",
                                name, budgets.error().message));
        }
    }
    for (const rules::OverlayProblem& one : overlaid.problems)
        warnings.push_back(fmt::format("NodeOverlay {} is not applied: {}", one.overlay, one.problem));
    for (const auto& [name, kept] : world.cluster.buffers()) {
        if (const model::Headroom headroom = model::headroom_of(world.cluster, kept.object);
            headroom.source == nullptr)
            warnings.push_back(fmt::format("CapacityBuffer {} keeps no room: {}", name, headroom.problem));
    }
    warnings.insert(warnings.end(), out.plan.cut_offs.begin(), out.plan.cut_offs.end());
    warnings.insert(warnings.begin(), world.warnings.begin(), world.warnings.end());
    return out;
}

}  // namespace joiner::cli
