#include "plan/provision/paid_once.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "model/commitments.h"

namespace joiner::plan {
namespace {

// Whichever of its types the machine becomes.
std::int64_t most_taken(const MachineSpec& spec, const model::PoolView& pool) {
    std::int64_t out = 0;
    for (const rules::InstanceType& type : *pool.types) {
        if (std::find(spec.types.begin(), spec.types.end(), type.name) != spec.types.end())
            out = std::max(out, type.capacity.get(model::kCommitmentResource));
    }
    return out;
}

// What is left for the part; nullptr where it is none of a commitment.
std::int64_t* left_of(model::PoolView& pool) {
    for (auto& [name, left] : pool.remaining) {
        if (name == model::kCommitmentResource) return &left;
    }
    return nullptr;
}

}  // namespace

std::optional<model::Snapshot> with_commitments_dealt(const model::Snapshot& snapshot, const Plan& plan) {
    const bool has_parts = std::any_of(snapshot.pools.begin(), snapshot.pools.end(),
                                       [](const auto& pool) { return !pool.commitment.empty(); });
    if (!has_parts) return std::nullopt;
    std::map<const MachineSpec*, std::int64_t> most;
    std::vector<std::int64_t> taken(snapshot.pools.size(), 0);
    for (const Launch& launch : plan.launches) {
        const model::PoolView& pool = snapshot.pools[launch.spec->pool];
        if (pool.commitment.empty()) continue;
        const auto [it, is_new] = most.try_emplace(launch.spec.get());
        if (is_new) it->second = most_taken(*launch.spec, pool);
        taken[launch.spec->pool] += it->second;
    }
    model::Snapshot out = snapshot;
    std::map<std::string_view, std::int64_t> left;  // By commitment.
    bool is_short = false;
    for (std::size_t i = 0; i < out.pools.size(); ++i) {
        std::int64_t* const its = left_of(out.pools[i]);
        if (its == nullptr) continue;
        std::int64_t& rest = left.try_emplace(snapshot.pools[i].commitment, *its).first->second;
        is_short = is_short || taken[i] > rest;
        *its = std::min(taken[i], rest);
        rest -= *its;
    }
    if (!is_short) return std::nullopt;
    // What nobody took may still be of use to those that lose something.
    for (std::size_t i = 0; i < out.pools.size(); ++i) {
        std::int64_t* const its = left_of(out.pools[i]);
        if (its != nullptr) *its += std::exchange(left.at(snapshot.pools[i].commitment), 0);
    }
    return out;
}

bool may_have_a_better_bound(const model::Snapshot& snapshot, const Plan& plan) {
    return plan.waits.empty() && plan.lower_bound < plan.price + plan.node_cost &&
           std::any_of(
               plan.launches.begin(), plan.launches.end(),
               [&](const Launch& launch) { return !snapshot.pools[launch.spec->pool].commitment.empty(); });
}

model::Snapshot at_list_price(const model::Snapshot& snapshot) {
    model::Snapshot out = snapshot;
    const auto none = std::make_shared<const std::vector<rules::InstanceType>>();
    for (model::PoolView& pool : out.pools) {
        if (!pool.commitment.empty()) {
            pool.types = none;
        } else if (!pool.is_reservation && !pool.remaining_without_reservations.empty()) {
            pool.remaining = pool.remaining_without_reservations;
        }
    }
    return out;
}

}  // namespace joiner::plan
