#include "cli/top/node_facts.h"

#include "api/names.h"
#include "cli/plan/stand_ins.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/gate.h"
#include "rules/node_cost.h"

namespace joiner::cli::top {
namespace {

class FactFinder {
  public:
    FactFinder(const model::Cluster& cluster, Machines& machines, const PodNotes& notes, WallTime now)
        : cluster_(cluster),
          machines_(machines),
          notes_(notes),
          facts_{
              .cluster = cluster,
              .planned = planned_,
              .in_commands = no_claims_,
              .last_pod_event = no_events_,
              .types = [this](const api::NodePool& pool) { return machines_.for_pool(pool, places_).types; }},
          gate_({cluster, no_claims_, nothing_held_, nothing_moved_}, now),
          finder_(facts_, plan::DisruptionClass::kGraceful, now) {}

    FactsByName find() {
        for (const auto& [name, state] : cluster_.nodes()) places_.add(state.node);
        FactsByName out;
        for (const auto& [name, state] : cluster_.nodes()) {
            const model::ClaimState* claim = cluster_.claim_of(state.node);
            const model::PoolState* pool = pool_of(claim, state.node);
            NodeFacts& its = out[name];
            set_price(pool, state.node, its);
            its.kept_by = kept_by(claim, pool, state);
        }
        for (const auto& [name, state] : cluster_.claims()) {
            if (cluster_.node_of(state.claim) != nullptr) continue;
            // Its labels are those that its node will have.
            api::Node to_come;
            to_come.meta.labels = state.claim.meta.labels;
            to_come.capacity = state.claim.capacity;
            set_price(pool_of(&state, to_come), to_come, out[name]);
        }
        return out;
    }

  private:
    const model::PoolState* pool_of(const model::ClaimState* claim, const api::Node& node) const {
        if (claim != nullptr) {
            if (const auto* pool =
                    cluster_.find_pool(api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel)))
                return pool;
        }
        return cluster_.find_pool(api::find_or_empty(node.meta.labels, api::kNodePoolLabel));
    }

    void set_price(const model::PoolState* pool, const api::Node& node, NodeFacts& its) const {
        rules::Money on_top;
        if (pool != nullptr) {
            on_top = rules::node_cost(pool->pool).value_or(rules::Money{});
            if (const rules::Money price = finder_.price_of(pool->pool, node); price.nanos != 0) {
                its.price = price + on_top;
                return;
            }
        } else if (stand_in_kind(node) == StandIn::Kind::kVirtual) {
            its.price = rules::Money{};
            return;
        }
        const rules::Resources capacity =
            rules::as_capacity(node.capacity.empty() ? node.allocatable : node.capacity);
        if (capacity.cpu_milli == 0) return;
        const MachineFacts machine = machine_facts(node);
        const SeenPrice seen =
            seen_price(machine.cloud, machine.region, machine.type, capacity, machine.capacity_type);
        its.price = seen.price + on_top;
        its.is_estimate = seen.is_estimate;
    }

    std::string kept_by(const model::ClaimState* claim, const model::PoolState* pool,
                        const model::NodeState& state) const {
        plan::Reasons reasons;
        if (claim != nullptr && pool != nullptr) {
            if (finder_.is_out_of_play(*claim)) return {};
            reasons = plan::all_obstacles(cluster_, finder_, gate_, *claim);
        } else {
            StandIn group;
            group.kind = stand_in_kind(state.node);
            reasons = obstacles_without_pool(group, notes_, state);
            if (reasons.empty()) {
                if (auto pod = finder_.blocking_pod(state)) reasons.push_back(std::move(*pod));
            }
        }
        if (reasons.empty()) reasons = local_volumes(cluster_, state);
        return reasons.empty() ? std::string(kOnlyItsPrice) : plan::in_words(reasons.front());
    }

    const model::Cluster& cluster_;
    Machines& machines_;
    const PodNotes& notes_;
    PoolPlaces places_;
    const model::PlannedPods planned_;
    const model::ClaimNames no_claims_;
    const std::map<std::string, WallTime, std::less<>> no_events_;
    const std::map<std::string, std::string, std::less<>> nothing_held_;
    const std::map<std::string, std::int64_t, std::less<>> nothing_moved_;
    const plan::DisruptionFacts facts_;
    const plan::DisruptionGate gate_;
    const plan::CandidateFinder finder_;
};

}  // namespace

FactsByName find_facts(const model::Cluster& cluster, Machines& machines, const PodNotes& notes,
                       WallTime now) {
    return FactFinder(cluster, machines, notes, now).find();
}

std::string pool_name(const model::Cluster& cluster, const api::Node& node) {
    if (const model::ClaimState* claim = cluster.claim_of(node)) {
        const std::string_view pool = api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel);
        if (!pool.empty()) return std::string(pool);
    }
    if (stand_in_kind(node) == StandIn::Kind::kControlPlane) return "control-plane";
    return std::string(group_label(node));
}

}  // namespace joiner::cli::top
