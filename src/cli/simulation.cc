#include "cli/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "cli/commitments_file.h"
#include "cli/missing_claims.h"
#include "cli/planning_ground.h"
#include "cli/pool_types.h"
#include "cli/removals.h"
#include "cli/scheduler_config.h"
#include "cli/world.h"
#include "model/make_snapshot.h"
#include "plan/provision/provision.h"

namespace joiner::cli {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void plan_removals(const Removals::Facts& facts, Simulation& s) {
    Removals removals(facts);
    RepackAnswer answer = removals.repack(removals.find_removable(), {});
    s.repack_question = std::move(answer.question);
    s.removals = std::move(answer.steps);
    s.repack_seconds = answer.seconds;
    s.repack_question_seconds = answer.question_seconds;
    s.longest_slice_seconds = answer.longest_slice_seconds;
    model::ClaimNames leaving;
    for (const auto& [name, state] : facts.cluster.nodes()) {
        if (const model::ClaimState* claim = facts.cluster.claim_of(state.node))
            leaving.insert(claim->claim.meta.name);
        const rules::Money price = removals.price_of(state);
        if (price.nanos == 0) ++s.unpriced_nodes;
        s.price_of_nodes += price;
    }
    s.bound_anew = removals.bound_of(leaving, plan::ProvisionOptions{}.effort);
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

    TRY(auto spread, default_spread(options.scheduler_config, options.preference_policy != "Ignore"));
    TRY(auto commitments, load_commitments(options.commitments));
    const PlanningGround ground(
        world.cluster, {.types = [&](const api::NodePool& pool) { return types.of(pool); },
                        .labels = [&] { return types.labels(); },
                        .types_source = types.source(),
                        .nothing_sold = [&](const model::PoolView& pool) { return types.warning(pool); },
                        .default_spread = std::move(spread),
                        .commitments = std::move(commitments)});
    const model::SnapshotInputs& inputs = ground.inputs();
    Simulation out;
    const auto start = std::chrono::steady_clock::now();
    const auto clock = [start] { return seconds_since(start); };
    out.snapshot = model::make_snapshot(world.cluster, inputs);
    ground.warn_of_pools(out.snapshot, warnings);
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
        add_missing_claims(world.cluster);
        plan_removals({world.cluster, inputs, now, out.snapshot, out.plan}, out);
        ground.warn_of_budgets(warnings);
    }
    ground.warn_of_overlays_and_buffers(warnings);
    warnings.insert(warnings.end(), out.plan.cut_offs.begin(), out.plan.cut_offs.end());
    warnings.insert(warnings.begin(), world.warnings.begin(), world.warnings.end());
    return out;
}

}  // namespace joiner::cli
