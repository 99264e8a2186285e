#include "cli/removals.h"

#include <algorithm>
#include <chrono>

#include "api/names.h"
#include "plan/provision/provision.h"
#include "rules/node_cost.h"

namespace joiner::cli {
namespace {

constexpr std::uint64_t kSliceLooks = 1'000'000;

double seconds_since_start(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

Removals::Removals(const Facts& facts)
    : facts_(facts),
      planned_(placed_pods()),
      disruption_{facts.cluster,           planned_, no_claims_, no_events_, facts.inputs.types, nullptr,
                  facts.inputs.commitments},
      gate_({facts.cluster, no_claims_, nothing_held_, nothing_moved_}, facts.now),
      finder_(disruption_, plan::DisruptionClass::kGraceful, facts.now) {}

// Pods that the plan has placed on nodes that are there.
model::PlannedPods Removals::placed_pods() const {
    model::PlannedPods out;
    for (const plan::Placement& one : facts_.plan.placements) {
        const model::NodeState* node = facts_.cluster.find_node(facts_.snapshot.rooms[one.room].name);
        const model::ClaimState* claim = node == nullptr ? nullptr : facts_.cluster.claim_of(node->node);
        if (claim != nullptr) out.emplace(facts_.snapshot.pods[one.pod].id.uid(), claim->claim.meta.name);
    }
    return out;
}

plan::Consolidatable Removals::find_removable() {
    plan::Consolidatable out = plan::find_consolidatable(disruption_, gate_, facts_.now);
    for (auto& [at, candidate] : out.later) out.candidates.push_back(std::move(candidate));
    std::erase_if(out.candidates, [&](const plan::Candidate& one) {
        return one.pods.empty() && gate_.refuses(one.pool, plan::kEmpty);
    });
    return out;
}

RepackAnswer Removals::repack(plan::Consolidatable found, const plan::RepackOptions& options) const {
    RepackAnswer out;
    const auto begin = std::chrono::steady_clock::now();
    out.question =
        plan::make_consolidation_question(facts_.cluster, facts_.inputs, std::move(found), gate_, facts_.now);
    if (facts_.correct) facts_.correct(out.question.snapshot);
    // What waits stands there by then.
    for (const plan::Placement& one : facts_.plan.placements) {
        const model::PodView& pod = facts_.snapshot.pods[one.pod];
        out.question.snapshot.rooms[one.room].free -= pod.shape->requests;
        if (pod.labels != nullptr)
            out.question.snapshot.standing.push_back(
                {pod.labels,
                 pod.shape->constraints.binds_others() ? pod.shape : nullptr,
                 false,
                 {{one.room, 1}}});
    }
    const auto start = std::chrono::steady_clock::now();
    plan::Repack repack(out.question, options);
    out.question_seconds = seconds_since_start(begin);
    for (bool is_done = false; !is_done;) {
        const auto slice = std::chrono::steady_clock::now();
        is_done = repack.run_slice(kSliceLooks);
        out.longest_slice_seconds = std::max(out.longest_slice_seconds, seconds_since_start(slice));
    }
    out.seconds = seconds_since_start(start);
    out.steps = repack.steps();
    return out;
}

rules::Money Removals::price_of(const model::NodeState& node) const {
    const model::ClaimState* claim = facts_.cluster.claim_of(node.node);
    std::string_view name = api::find_or_empty(node.node.meta.labels, api::kNodePoolLabel);
    if (claim != nullptr) name = api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel);
    const model::PoolState* pool = facts_.cluster.find_pool(name);
    if (pool == nullptr) return {};
    const rules::Money price = finder_.price_of(pool->pool, node.node);
    if (price.nanos == 0) return {};
    return (claim == nullptr ? price : finder_.price_on_top(pool->pool, claim->claim, node.node)) +
           rules::node_cost(pool->pool).value_or(rules::Money{});
}

model::Snapshot Removals::without(const model::ClaimNames& leaving) const {
    model::SnapshotInputs inputs = facts_.inputs;
    inputs.leaving = &leaving;
    model::Snapshot out = model::make_snapshot(facts_.cluster, inputs);
    if (facts_.correct) facts_.correct(out);
    return out;
}

rules::Money Removals::bound_of(const model::ClaimNames& leaving, std::uint64_t effort) const {
    plan::ProvisionOptions options;
    options.effort = effort;
    return plan::plan_provisioning(without(leaving), options).lower_bound;
}

rules::Money Removals::bound_alone(const model::ClaimNames& leaving, std::uint64_t effort) const {
    model::Snapshot snapshot = without(leaving);
    std::erase_if(snapshot.pods, [&](const model::PodView& pod) {
        const model::PodState* there = facts_.cluster.find_pod(pod.id.full_name());
        return there == nullptr || there->node_name.empty();
    });
    for (model::RoomView& room : snapshot.rooms) room.free = {};
    plan::ProvisionOptions options;
    options.effort = effort;
    return plan::plan_provisioning(snapshot, options).lower_bound;
}

}  // namespace joiner::cli
