#include "plan/disrupt/deletion_cost.h"

#include <algorithm>

#include "api/names.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

struct Ranked {
    const model::NodeState* node = nullptr;
    std::string pool;
    double savings_ratio = 0;
};

struct Groups {
    std::vector<Ranked> going;
    std::vector<Ranked> drifted;
    std::vector<Ranked> others;
    std::vector<Ranked> unranked;  // Nothing is said of their pods.
};

bool is_of_replica_set(const model::PodState& pod) {
    return pod.selecting_owner.starts_with("ReplicaSet/");
}

// Nobody would make such a pod again elsewhere, so the node will hardly go.
bool has_pinning_pod(const model::NodeState& node) {
    return std::any_of(node.pods.begin(), node.pods.end(), [](const auto& item) {
        const model::PodState& pod = *item.second;
        return !pod.is_terminal && pod.id.ns() != "kube-system" && !pod.is_daemon && !pod.is_of_job &&
               !is_of_replica_set(pod);
    });
}

Groups group_nodes(const DisruptionFacts& facts, const model::ClaimNames& leaving, WallTime now) {
    const CandidateFinder finder(facts, DisruptionClass::kGraceful, now);
    Groups out;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const model::NodeState* node = facts.cluster.node_of(state.claim);
        if (node == nullptr) continue;
        Ranked one{node, std::string(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel))};
        if (state.claim.meta.deleted || node->node.meta.deleted || leaving.contains(name) ||
            rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule)) {
            out.going.push_back(std::move(one));
            continue;
        }
        const bool may_go =
            !finder.is_out_of_play(state) && !finder.has_obstacle(state) && !has_pinning_pod(*node);
        const model::PoolState* pool = facts.cluster.find_pool(one.pool);
        if (!may_go || pool == nullptr || finder.type_of(pool->pool, node->node) == nullptr) {
            out.unranked.push_back(std::move(one));
            continue;
        }
        const Candidate candidate = finder.make(state);
        one.savings_ratio = candidate.price.dollars() / candidate.disruption_cost;
        const bool is_drifted = rules::is_true(state.claim.conditions, "Drifted") && !pool->pool.replicas;
        auto& group = is_drifted                           ? out.drifted
                      : pool->pool.consolidate_after.value ? out.others
                                                           : out.unranked;
        group.push_back(std::move(one));
    }
    for (auto* group : {&out.drifted, &out.others}) {
        std::sort(group->begin(), group->end(), [](const Ranked& a, const Ranked& b) {
            if (a.savings_ratio != b.savings_ratio) return a.savings_ratio > b.savings_ratio;
            return a.node->node.meta.name < b.node->node.meta.name;
        });
    }
    return out;
}

// What the budgets for `reason` leave of the group, appended to `ranked`; the rest is unranked.
void rank_within_budgets(std::vector<Ranked> group, std::string_view reason, const DisruptionGate& gate,
                         std::vector<Ranked>& ranked, std::vector<Ranked>& unranked) {
    std::map<std::string, std::int64_t, std::less<>> left;
    for (Ranked& one : group) {
        const auto it = left.try_emplace(one.pool, gate.left(one.pool, reason)).first;
        auto& where = it->second > 0 ? ranked : unranked;
        if (it->second > 0) --it->second;
        where.push_back(std::move(one));
    }
}

class Writer {
  public:
    // True where some pod of the node has to be written to.
    bool add(const Ranked& node, std::optional<std::int32_t> cost) {
        const std::size_t before = out_.writes.size();
        for (const auto& [key, pod] : node.node->pods) {
            if (pod->is_active() && is_of_replica_set(*pod) && pod->deletion_cost != cost)
                out_.writes.push_back({key, pod->id.uid(), cost});
        }
        if (out_.writes.size() == before) return false;
        ++out_.nodes[node.pool];
        return true;
    }
    DeletionCosts take() { return std::move(out_); }

  private:
    DeletionCosts out_;
};

}  // namespace

DeletionCosts plan_deletion_costs(const DisruptionFacts& facts, const DisruptionGate& gate,
                                  const model::ClaimNames& leaving, WallTime now) {
    Groups groups = group_nodes(facts, leaving, now);
    std::vector<Ranked> ranked;
    rank_within_budgets(std::move(groups.drifted), kDrifted, gate, ranked, groups.unranked);
    rank_within_budgets(std::move(groups.others), kUnderutilized, gate, ranked, groups.unranked);
    Writer writer;
    for (const Ranked& node : groups.going) (void)writer.add(node, kGoesAnyway);
    std::size_t written = 0;
    const auto n = static_cast<std::int32_t>(ranked.size());
    for (std::int32_t i = 0; i < n && written < kMostNodesAPass; ++i)
        written += writer.add(ranked[static_cast<std::size_t>(i)], i - n) ? 1 : 0;
    for (const Ranked& node : groups.unranked) {
        if (written == kMostNodesAPass) break;
        written += writer.add(node, std::nullopt) ? 1 : 0;
    }
    return writer.take();
}

}  // namespace joiner::plan
