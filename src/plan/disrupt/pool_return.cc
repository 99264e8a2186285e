#include "plan/disrupt/pool_return.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "api/names.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {
namespace {

bool lets_nodes_return(const api::NodePool& pool) {
    const std::string_view value = api::find_or_empty(pool.meta.annotations, api::kReturnAnnotation);
    return value.empty() || value == "true";
}

}  // namespace

std::map<std::string, PassedOver, std::less<>> find_passed_over(const model::Cluster& cluster) {
    std::map<std::string, PassedOver, std::less<>> out;
    for (const auto& [name, state] : cluster.our_claims()) {
        const api::ObjectMeta& meta = state.claim.meta;
        const std::string_view heavier = api::find_or_empty(meta.annotations, api::kPassedOverAnnotation);
        if (heavier.empty() || meta.deleted) continue;
        const model::PoolState* to = cluster.find_pool(heavier);
        const model::PoolState* own = cluster.find_pool(api::find_or_empty(meta.labels, api::kNodePoolLabel));
        if (to == nullptr || own == nullptr || to->pool.replicas || to->pool.meta.deleted ||
            to->pool.weight <= own->pool.weight || !lets_nodes_return(own->pool))
            continue;
        PassedOver& its = out[std::string(heavier)];
        its.claims.push_back(name);
        its.last = std::max(its.last, meta.created);
    }
    return out;
}

Result<DisruptionCommand> plan_return(model::Snapshot& snapshot, const Candidate& candidate, int own_weight,
                                      const ProvisionOptions& options) {
    std::set<std::string, std::less<>> heavier;
    for (const model::PoolView& pool : snapshot.pools) {
        if (pool.weight > own_weight) heavier.insert(pool.name);
    }
    // Others that look for a place have the lighter pools, too.
    std::erase_if(snapshot.pods, [&](const model::PodView& pod) {
        return std::find(candidate.pods.begin(), candidate.pods.end(), pod.id) == candidate.pods.end();
    });
    for (model::RoomView& room : snapshot.rooms) {
        const rules::Requirement* pool = room.labels.find(api::kNodePoolLabel);
        if (pool == nullptr || !heavier.contains(pool->any_value())) room.free = {};
    }
    auto command = plan_replacement(snapshot, {candidate}, kUnderutilized, options);
    if (!command) return command;
    for (const Launch& launch : command->launches) {
        const std::string& pool = snapshot.pools[launch.spec->pool].name;
        if (!heavier.contains(pool)) {
            return fail(ErrorKind::kUnavailable,
                        fmt::format("no heavier NodePool than {} has room for its pods", candidate.pool));
        }
        if (command->returns_to.empty()) command->returns_to = pool;
    }
    for (const Placement& placement : command->placements) {
        if (command->returns_to.empty())
            command->returns_to =
                snapshot.rooms[placement.room].labels.find(api::kNodePoolLabel)->any_value();
    }
    return command;
}

}  // namespace joiner::plan
