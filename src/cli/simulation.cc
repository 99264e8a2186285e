#include "cli/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "api/names.h"
#include "cli/pool_types.h"
#include "cli/scheduler_config.h"
#include "cli/world.h"
#include "model/headroom.h"
#include "model/make_snapshot.h"
#include "model/overlaid_types.h"
#include "plan/disrupt/candidates.h"
#include "plan/lifecycle/node_step.h"
#include "plan/provision/provision.h"
#include "rules/budget.h"

namespace joiner::cli {
namespace {

constexpr std::uint64_t kSliceLooks = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Of the offering that the node's labels name; nothing where there is none.
rules::Money price_of(const api::Node& node, const model::PoolView& pool) {
    const auto label = [&](std::string_view key) { return api::find_or_empty(node.meta.labels, key); };
    for (const rules::InstanceType& type : *pool.types) {
        if (type.name != label(api::kInstanceTypeLabel)) continue;
        for (const rules::Offering& offering : type.offerings) {
            if (offering.zone() == label(api::kZoneLabel) &&
                offering.capacity_type() == label(api::kCapacityTypeLabel))
                return offering.price;
        }
    }
    return {};
}

// nullopt where a pod keeps the node.
std::optional<plan::Candidate> removable(const model::Cluster& cluster, const model::NodeState& state,
                                         const model::PoolView& pool, WallTime now) {
    const api::Node& node = state.node;
    plan::Candidate out;
    if (const model::ClaimState* claim = cluster.claim_of(node)) out.claim = claim->claim.meta.name;
    out.node = node.meta.name;
    out.pool = pool.name;
    out.price = price_of(node, pool);
    out.is_spot = api::find_or_empty(node.meta.labels, api::kCapacityTypeLabel) == api::kSpot;
    for (const auto& [key, pod] : state.pods) {
        if (!pod->is_active()) continue;
        if (plan::do_not_disrupt_is_active(*pod, now)) return std::nullopt;
        if (pod->is_daemon || pod->is_mirror) continue;
        out.pods.push_back(pod->id);
        out.disruption_cost += std::max(0.0, plan::eviction_cost(*pod));
    }
    return out;
}

// Budgets set the pace of removals and not where they end, so here only a budget of none matters.
std::vector<plan::Candidate> removable_nodes(const model::Cluster& cluster, const Simulation& s,
                                             WallTime now) {
    std::map<std::string_view, const model::PoolView*> pools;
    for (const model::PoolView& pool : s.snapshot.pools) {
        if (pool.types != nullptr && pool.pool.consolidate_after.value) pools.emplace(pool.name, &pool);
    }
    std::map<std::string_view, std::int64_t> counts;
    for (const auto& [name, state] : cluster.nodes())
        ++counts[api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel)];
    std::set<std::string_view> is_awaited;
    for (const plan::Placement& one : s.plan.placements) is_awaited.insert(s.snapshot.rooms[one.room].name);
    std::vector<plan::Candidate> out;
    for (const auto& [name, state] : cluster.nodes()) {
        const api::ObjectMeta& meta = state.node.meta;
        const auto pool = pools.find(api::find_or_empty(meta.labels, api::kNodePoolLabel));
        if (pool == pools.end() || is_awaited.contains(name) ||
            api::find_or_empty(meta.annotations, api::kDoNotDisruptAnnotation) == "true")
            continue;
        auto candidate = removable(cluster, state, *pool->second, now);
        if (!candidate) continue;
        const std::string_view reason = candidate->pods.empty() ? "Empty" : "Underutilized";
        if (rules::allowed_disruptions(pool->second->pool, reason, counts[pool->first], now) > 0)
            out.push_back(std::move(*candidate));
    }
    return out;
}

// After the plan: pods that wait come first, and what they take is taken.
void plan_removals(const model::Cluster& cluster, const model::SnapshotInputs& inputs, WallTime now,
                   Simulation& s) {
    std::vector<plan::Candidate> candidates = removable_nodes(cluster, s, now);
    const auto begin = std::chrono::steady_clock::now();
    s.repack_question = plan::make_repack_question(cluster, inputs, std::move(candidates));
    for (const plan::Placement& one : s.plan.placements)
        s.repack_question.snapshot.rooms[one.room].free -= s.snapshot.pods[one.pod].shape->requests;
    const auto start = std::chrono::steady_clock::now();
    plan::Repack repack(s.repack_question, {});
    s.repack_question_seconds = seconds_since(begin);
    for (bool is_done = false; !is_done;) {
        const auto slice = std::chrono::steady_clock::now();
        is_done = repack.run_slice(kSliceLooks);
        s.longest_slice_seconds = std::max(s.longest_slice_seconds, seconds_since(slice));
    }
    s.repack_seconds = seconds_since(start);
    s.removals = repack.steps();
}

// What the nodes that are there cost, and what machines for the same pods would cost at least, were all of
// them bought anew.
void price_cluster(const model::Cluster& cluster, model::SnapshotInputs inputs, Simulation& s) {
    model::ClaimNames leaving;
    for (const auto& [name, state] : cluster.nodes()) {
        if (const model::ClaimState* claim = cluster.claim_of(state.node))
            leaving.insert(claim->claim.meta.name);
        rules::Money price;
        for (const model::PoolView& pool : s.snapshot.pools) {
            if (pool.types == nullptr ||
                pool.name != api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel))
                continue;
            price = price_of(state.node, pool);
            if (price.nanos == 0) continue;
            s.price_of_nodes += price + pool.node_cost;
            break;
        }
        if (price.nanos == 0) ++s.unpriced_nodes;
    }
    inputs.leaving = &leaving;
    const model::Snapshot anew = model::make_snapshot(cluster, inputs);
    plan::ProvisionOptions options;
    options.budget_seconds = 0;
    s.bound_anew = plan::plan_provisioning(anew, options).lower_bound;
}

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
    inputs.well_known = labels.well_known;
    inputs.types_source = types.source();
    TRY(const auto spread, default_spread(options.scheduler_config, options.preference_policy != "Ignore"));
    inputs.default_spread = &spread;
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
        if (std::string text = types.warning(pool); !text.empty()) warnings.push_back(std::move(text));
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
        plan_removals(world.cluster, inputs, now, out);
        price_cluster(world.cluster, inputs, out);
        warnings.resize(told);  // The pools' problems once are enough.
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
